import type { KeywordHit } from './row-finder.js';

/** Where the words of a kind of row are. Every text here is part of a statement: constants of the feature, never anything of a user. */
export interface KeywordTable {
  /** What stands behind FROM, for example `projects`, or a join. */
  readonly from: string;
  /** The column of the id, a uuid, for example `projects.id`. */
  readonly id: string;
  /** The column of the tsvector, which has a GIN index. */
  readonly keywords: string;
  /** Text search configurations that the column was made with: a word of the query is looked for in the form that each of them gives it. */
  readonly configurations: readonly string[];
}

export interface KeywordRequest {
  readonly texts: readonly string[];
  /** Rows per text. */
  readonly limit: number;
  /**
   * Conditions on the rows, joined by AND.
   *
   * @param parameters gets the values appended; `$n` counts from its length on
   */
  conditionsOf(parameters: unknown[]): readonly string[];
}

/** A row as the statement gives it. */
export interface KeywordRecord {
  /** Position of the text, from 1. */
  readonly text_number: number;
  readonly id: string;
  readonly score: number;
}

/** Divides the rank by 1 + the logarithm of the document's length: else the longest text would win by having most words. */
const LENGTH_NORMALISATION = 1;
/** Weights of the labels D, C, B, A of a tsvector: what stands in the name says more than what stands in the text. */
const LABEL_WEIGHTS = '{0.1, 0.2, 0.4, 1.0}';

/**
 * Makes the one statement that finds, for each text, the rows that have at least one of its words, best first.
 *
 * The texts are parameters; PostgreSQL takes them apart, so nothing that a user writes is ever read as an operator. A text of stop words alone has no
 * words and finds nothing.
 */
export function keywordStatementOf(table: KeywordTable, request: KeywordRequest): { readonly sql: string; readonly parameters: unknown[] } {
  const parameters: unknown[] = [request.texts, request.limit];
  const conditions = [`${table.keywords} @@ words.query`, ...request.conditionsOf(parameters)];
  const lexemes = table.configurations
    .map((configuration) => `tsvector_to_array(to_tsvector('${configuration}', texts.text))`)
    .join(' || ');
  const sql = `SELECT texts.number::int AS text_number, found.id, found.score
FROM unnest($1::text[]) WITH ORDINALITY AS texts (text, number)
CROSS JOIN LATERAL (
  SELECT string_agg(DISTINCT ${quoted('lexeme')}, ' | ')::tsquery AS query FROM unnest(${lexemes}) AS lexeme
) AS words
CROSS JOIN LATERAL (
  SELECT ${table.id} AS id, ts_rank_cd('${LABEL_WEIGHTS}', ${table.keywords}, words.query, ${LENGTH_NORMALISATION}) AS score
  FROM ${table.from} WHERE ${conditions.join(' AND ')}
  ORDER BY score DESC, ${table.id} LIMIT $2::int
) AS found
ORDER BY texts.number, found.score DESC, found.id`;
  return { sql, parameters };
}

/** Sorts the rows of the statement into one list per text. */
export function keywordListsOf(records: readonly KeywordRecord[], textsCount: number): KeywordHit[][] {
  const lists: KeywordHit[][] = Array.from({ length: textsCount }, () => []);
  for (const { text_number: number, id, score } of records) lists[number - 1]!.push({ id, score });
  return lists;
}

/** A lexeme as the input of tsquery reads it: whatever stands between the quotes is one word. */
function quoted(lexeme: string): string {
  return `'''' || replace(replace(${lexeme}, '\\', '\\\\'), '''', '''''') || ''''`;
}
