import { fuse, FUSED_DEPTH } from './fusion.js';
import type { KeywordHit } from './keyword/row-finder.js';
import { limitGroups, type Grouping } from './ranking.js';
import type { FoundRow, Hit, HitScores } from './search-types.js';

/** What was found for one text. */
export interface FoundLists<Row> {
  /** Best first. */
  readonly vector: readonly Hit<Row>[];
  /** Best first; a row that is not among `rows` any more does not count. */
  readonly keyword: readonly KeywordHit[];
  readonly rows: ReadonlyMap<string, Row>;
  /** Cosines, as far as the index knows them. */
  readonly similarities: ReadonlyMap<string, number>;
}

/**
 * Rows of the keyword list count in the fusion with at least this share of its best score. Ranks do not show that one row stands out and the others have a word
 * or two in common by chance; the scores do. Measured on four labelled sets (ADR 0013).
 */
const KEYWORD_SHARE = 0.5;
/**
 * And they count only when the best one has that much of the words: a text that says the thing in other words has a word or two in common with some row, which is
 * then the first of its list, and would be put beside what is nearest in meaning.
 */
const KEYWORD_LEAST_SCORE = 0.1;
/**
 * More of them where the vectors are decisive: then the meaning has been read well, and a few words in common with another row say less. Vectors that do not part the
 * rows, as of a language that the model hardly reads, leave it to the words.
 */
const KEYWORD_LEAST_SCORE_BESIDE_DECISIVE = 0.2;
/** The last place that counts has lost at least this share of the first one's similarity. */
const DECISIVE_DROP = 0.45;

export interface CombineOptions<Row> {
  readonly topK: number;
  /** Every row whose similarity is known must reach it; `null` = none was named. */
  readonly threshold: number | null;
  /** Holds instead when none was named, for rows that only their vectors found: a word in common is a reason of its own. */
  readonly defaultThreshold: number;
  readonly grouping?: Grouping<Row> | undefined;
}

/** Makes the results of one text from both lists: fused, without what is not alike enough, at most so many of a group, best first, equal ones by id. */
export function combine<Row>(found: FoundLists<Row>, options: CombineOptions<Row>): FoundRow<Row>[] {
  const keyword = found.keyword.filter(({ id }) => found.rows.has(id));
  const keywordScores = new Map(keyword.map(({ id, score }) => [id, score]));
  const lists = [
    { ids: found.vector.map(({ id }) => id) },
    {
      ids: keyword.map(({ id }) => id),
      counted: found.vector.length === 0 ? keyword.length : countStrong(keyword, isDecisive(found.vector)),
    },
  ];
  const rows = fuse(lists).flatMap(({ id, score, ranks }) => {
    const row = found.rows.get(id);
    const similarity = found.similarities.get(id) ?? null;
    if (row === undefined || !isAlikeEnough(similarity, keywordScores.has(id), options)) return [];
    const [vectorRank = null, keywordRank = null] = ranks;
    const scores: HitScores = {
      vector: vectorRank === null || similarity === null ? null : { similarity, rank: vectorRank },
      keyword: keywordRank === null ? null : { score: keywordScores.get(id)!, rank: keywordRank },
      fused: score,
    };
    return [{ id, row, similarity, scores }];
  });
  return limitGroups(rows, options.grouping)
    .slice(0, options.topK)
    .map((hit, index) => ({ ...hit, rank: index + 1 }));
}

/** Whether the vectors part the rows: the first ones stand out from those that count last. */
function isDecisive(vector: readonly Hit<unknown>[]): boolean {
  const first = vector[0]!.similarity;
  const last = vector[Math.min(vector.length, FUSED_DEPTH) - 1]!.similarity;
  return first > 0 && last < first * (1 - DECISIVE_DROP);
}

function countStrong(keyword: readonly KeywordHit[], isBesideDecisive: boolean): number {
  const bestScore = keyword[0]?.score ?? 0;
  return bestScore < (isBesideDecisive ? KEYWORD_LEAST_SCORE_BESIDE_DECISIVE : KEYWORD_LEAST_SCORE)
    ? 0
    : keyword.filter(({ score }) => score >= bestScore * KEYWORD_SHARE).length;
}

function isAlikeEnough(similarity: number | null, hasWords: boolean, { threshold, defaultThreshold }: CombineOptions<never>): boolean {
  if (threshold !== null) return similarity === null || similarity >= threshold;
  return hasWords || (similarity !== null && similarity >= defaultThreshold);
}
