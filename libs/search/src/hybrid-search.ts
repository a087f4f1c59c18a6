import { SearchConfig } from '#config';
import type { Embedder, Embedding } from '#embeddings';
import { DomainError } from '#kernel';
import { inSpan } from '#observability';
import type { VectorFilter } from '#vector-store';
import { Injectable } from '@nestjs/common';
import { CandidateSearch } from './candidate-search.js';
import { combine, type FoundLists } from './combine.js';
import { FUSED_DEPTH } from './fusion.js';
import type { KeywordHit, RowFinder } from './keyword/row-finder.js';
import type { Grouping } from './ranking.js';
import type { ConsistencyDemand, FoundRow, Freshness, Provenance, SearchMode } from './search-types.js';
import { SearchTimings } from './search-timings.js';
import { ServingTargets, type Target } from './serving-targets.js';

export interface HybridQuery<Row> extends RowFinder<Row> {
  /** Whose index: the name of an IndexSource. */
  readonly source: string;
  readonly mode: SearchMode;
  /** One or more; each gets results of its own. */
  readonly texts: readonly string[];
  readonly topK: number;
  /** Every result whose cosine is known has at least this one. `null` = the configured default, for what only vectors found. */
  readonly threshold: number | null;
  /** `undefined` = every point. The SQL of the feature applies the same filter. */
  readonly filter: VectorFilter | undefined;
  /** Left out of the results: the row that is compared with. */
  readonly excludedId?: string | undefined;
  readonly grouping?: Grouping<Row> | undefined;
  /** A write that the answer should show. */
  readonly consistency?: ConsistencyDemand | undefined;
  /** Default: as the text of a query. */
  readonly embed?: ((embedder: Embedder, text: string) => Promise<Embedding>) | undefined;
}

/** Results of one text, best first. */
export interface HybridResult<Row> {
  readonly hits: FoundRow<Row>[];
  /** Whether the text was longer than the model reads; never when keywords alone were looked for. */
  readonly isTruncated: boolean;
}

export type HybridAnswer<Row> = { readonly results: HybridResult<Row>[] } & Freshness;

/** Rows asked for beyond top_k, for those that are deleted between two statements. */
const SPARE_ROWS = 3;
/** With groups, the whole lists may be of a few groups: each round looks four times as deep, at most that deep. */
const DEPTH_GROWTH = 4;
const DEPTH_MAXIMUM = 1_000;

/** Without these a search cannot use vectors, and waiting may cure them. */
const OUTAGES: ReadonlySet<string> = new Set(['search.index-unavailable', 'search.embedder-unavailable', 'search.not-ready']);

const BY_KEYWORDS = { source: 'keyword', indexAgeSeconds: null } as const;

/**
 * Finds the best rows for texts, by vectors, by words, or by both, whatever rows they are.
 *
 * Words are looked for while the text is embedded and the index is asked, and the rows of both lists are read in one statement. When neither the index
 * nor a copy of it can answer, or the model cannot, words alone answer, in every mode, and the answer says so.
 */
@Injectable()
export class HybridSearch {
  readonly timings = new SearchTimings();

  constructor(
    private readonly targets: ServingTargets,
    private readonly candidates: CandidateSearch,
    private readonly config: SearchConfig,
  ) {}

  /** @throws DomainError of the database, when it cannot answer: then nobody can */
  async search<Row>(asked: HybridQuery<Row>): Promise<HybridAnswer<Row>> {
    const { mode, texts } = asked;
    return this.timings.time({ mode, texts: texts.length === 1 ? 'one' : 'many' }, () => this.answer(asked));
  }

  private async answer<Row>(asked: HybridQuery<Row>): Promise<HybridAnswer<Row>> {
    const query = rememberingKeywords(asTraced(asked));
    if (query.mode === 'keyword') return this.answerByKeywords(query, { target: await this.targetOrNull(query.source), isDegraded: false });
    let target: Target | null = null;
    try {
      target = await this.targets.find(query.source, query.consistency);
      return await this.answerByIndex(query, target);
    } catch (error) {
      if (!(error instanceof DomainError) || !OUTAGES.has(error.code)) throw error;
      return this.answerByKeywords(query, { target, isDegraded: true });
    }
  }

  private async answerByIndex<Row>(query: HybridQuery<Row>, target: Target): Promise<HybridAnswer<Row>> {
    const embed = query.embed ?? embedAsQuery;
    const embeddings = query.texts.map((text) => inSpan('search embed', {}, () => embed(target.serving.embedder, text)));
    const [{ hits, provenance }, index] = await Promise.all([
      query.mode === 'hybrid' ? this.findByBoth(query, target, embeddings) : this.findByVectors(query, target, embeddings),
      this.targets.view(target),
    ]);
    const embedded = await Promise.all(embeddings);
    const results = hits.map((own, position) => ({ hits: own, isTruncated: embedded[position]!.isTruncated }));
    return { results, ...(await this.targets.freshness(target, provenance, index)) };
  }

  private async findByVectors<Row>(query: HybridQuery<Row>, target: Target, embeddings: readonly Promise<Embedding>[]) {
    const { hits, provenance } = await this.candidates.find({
      ...this.candidateQueryOf(query, target, embeddings),
      topK: query.topK,
      threshold: query.threshold ?? this.config.defaultThreshold,
      grouping: query.grouping,
    });
    return { hits: hits.map((own) => own.map((hit): FoundRow<Row> => ({ ...hit, scores: null }))), provenance };
  }

  private async findByBoth<Row>(query: HybridQuery<Row>, target: Target, embeddings: readonly Promise<Embedding>[]) {
    return this.deepen(query, FUSED_DEPTH, async (depth) => {
      const keywords = this.keywordsOf(query, depth);
      const found = await this.candidates.find({
        ...this.candidateQueryOf(query, target, embeddings),
        topK: depth,
        // Where a row stands among all: what is below the threshold is left out after the fusion.
        threshold: -1,
        companions: keywords.then((lists) => lists.map((list) => list.map(({ id }) => id))),
      });
      const byWords = await keywords;
      return {
        lists: query.texts.map((_, index) => ({
          vector: found.hits[index]!,
          keyword: byWords[index]!,
          rows: found.rows,
          similarities: found.similarities[index]!,
        })),
        provenance: found.provenance,
      };
    });
  }

  private async answerByKeywords<Row>(
    query: HybridQuery<Row>,
    { target, isDegraded }: { readonly target: Target | null; readonly isDegraded: boolean },
  ): Promise<HybridAnswer<Row>> {
    const provenance: Provenance = { ...BY_KEYWORDS, isDegraded };
    const [{ hits }, index] = await Promise.all([
      this.deepen(query, query.grouping === undefined && query.mode !== 'hybrid' ? query.topK + SPARE_ROWS : FUSED_DEPTH, async (depth) => {
        const keywords = await this.keywordsOf(query, depth);
        const ids = [...new Set(keywords.flatMap((list) => list.map(({ id }) => id)))];
        const rows = ids.length === 0 ? new Map<string, Row>() : await query.readRows(ids);
        return { lists: keywords.map((keyword) => ({ vector: [], keyword, rows, similarities: new Map<string, number>() })), provenance };
      }),
      target === null ? null : this.targets.view(target),
    ]);
    return {
      results: hits.map((own) => ({ hits: own, isTruncated: false })),
      ...provenance,
      index,
      // What was committed before the token was given is in the rows, and they were asked themselves.
      ...(query.consistency === undefined ? {} : { consistency: { isFresh: true, backlog: null } }),
    };
  }

  /** Fuses lists of at least `firstDepth`; with groups, of deeper ones until the results are full or the lists have no more. */
  private async deepen<Row>(
    query: HybridQuery<Row>,
    firstDepth: number,
    find: (depth: number) => Promise<{ readonly lists: readonly FoundLists<Row>[]; readonly provenance: Provenance }>,
  ): Promise<{ readonly hits: FoundRow<Row>[][]; readonly provenance: Provenance }> {
    const limits = {
      topK: query.topK,
      threshold: query.threshold,
      defaultThreshold: this.config.defaultThreshold,
      grouping: query.grouping,
    };
    for (let depth = Math.max(firstDepth, query.topK); ; depth *= DEPTH_GROWTH) {
      const { lists, provenance } = await find(depth);
      const hits = lists.map((own) => combine(own, limits));
      const isFull = (own: FoundRow<Row>[], index: number) => {
        const { vector, keyword } = lists[index]!;
        return own.length >= query.topK || (vector.length < depth && keyword.length < depth);
      };
      if (query.grouping === undefined || hits.every(isFull) || depth * DEPTH_GROWTH > DEPTH_MAXIMUM) return { hits, provenance };
    }
  }

  private async keywordsOf<Row>(query: HybridQuery<Row>, depth: number): Promise<KeywordHit[][]> {
    const { excludedId } = query;
    if (excludedId === undefined) return query.findByKeywords(query.texts, depth);
    const lists = await query.findByKeywords(query.texts, depth + 1);
    return lists.map((list) => list.filter(({ id }) => id !== excludedId).slice(0, depth));
  }

  private candidateQueryOf<Row>(query: HybridQuery<Row>, { serving }: Target, embeddings: readonly Promise<Embedding>[]) {
    return {
      collection: serving.collection,
      vectors: embeddings.map(async (embedding) => (await embedding).vector),
      filter: query.filter,
      excludedId: query.excludedId,
      readRows: (ids: readonly string[]) => query.readRows(ids),
    };
  }

  /** An index is only told of; words need none. */
  private async targetOrNull(source: string): Promise<Target | null> {
    try {
      return await this.targets.find(source, undefined);
    } catch (error) {
      if (error instanceof DomainError && error.code === 'search.not-ready') return null;
      throw error;
    }
  }
}

function embedAsQuery(embedder: Embedder, text: string): Promise<Embedding> {
  return embedder.embedQuery(text);
}

/** What is asked of the database is seen in a trace. */
function asTraced<Row>(query: HybridQuery<Row>): HybridQuery<Row> {
  return {
    ...query,
    readRows: (ids) => inSpan('search hydrate', { 'kindred.rows': ids.length }, () => query.readRows(ids)),
    findByKeywords: (texts, limit) => inSpan('search words', {}, () => query.findByKeywords(texts, limit)),
  };
}

/** What the words had found is at hand when the index turns out not to answer. */
function rememberingKeywords<Row>(query: HybridQuery<Row>): HybridQuery<Row> {
  let known: { readonly limit: number; readonly lists: Promise<KeywordHit[][]> } | null = null;
  return {
    ...query,
    findByKeywords: (texts, limit) => {
      if (known?.limit !== limit) known = { limit, lists: query.findByKeywords(texts, limit) };
      return known.lists;
    },
  };
}
