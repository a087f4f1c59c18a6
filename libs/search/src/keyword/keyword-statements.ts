import { TERM_CLASSES, RANKED_ROWS, type KeywordPlan } from './keyword-plan.js';
import type { KeywordTable } from './keyword-table.js';

export interface Statement {
  readonly sql: string;
  readonly parameters: unknown[];
}

/** A row of {@link wordsStatementOf}. */
export interface WordRecord {
  /** Position of the text, from 1. */
  readonly text_number: number;
  /** One list of lexemes for each configuration. */
  readonly [form: `form_${number}`]: string[];
}

/** A row of {@link rankingStatementOf}. */
export interface RankingRecord {
  readonly text_number: number;
  readonly id: string;
  readonly score: number;
}

/** Weights of the labels D, C, B, A: a name says more than a description, but not so much that a description could not outweigh it. Chosen in ADR 0013. */
const LABEL_WEIGHTS = '{0.5, 0.5, 0.7, 1.0}';

/** Takes texts apart: PostgreSQL decides what a word is and what it becomes, so nothing that a user writes is ever read as an operator. */
export function wordsStatementOf({ configurations }: KeywordTable, texts: readonly string[]): Statement {
  const forms = configurations.map((configuration, index) => `tsvector_to_array(to_tsvector('${configuration}', word)) AS form_${index}`);
  const sql = `SELECT number::int AS text_number, ${forms.join(', ')}
FROM unnest($1::text[]) WITH ORDINALITY AS texts (text, number), unnest(tsvector_to_array(to_tsvector('simple', texts.text))) AS words (word)`;
  return { sql, parameters: [texts] };
}

/** Reads what ANALYZE has found out about the column. */
export function statisticsStatementOf({ table, column }: KeywordTable): Statement {
  const sql = `SELECT class.reltuples::float8 AS rows, stats.most_common_elems::text::text[] AS lexemes, stats.most_common_elem_freqs AS frequencies
FROM pg_class AS class LEFT JOIN pg_stats AS stats ON stats.schemaname = 'public' AND stats.tablename = class.relname AND stats.attname = $2::text
WHERE class.oid = ('public.' || $1::text)::regclass`;
  return { sql, parameters: [table, column] };
}

/** Rows that are counted, of all and of each word: beyond that a word is frequent, whatever the number is. */
const COUNTED_ROWS = 10_000;

/** Counts the rows of the table and of each lexeme. */
export function countsStatementOf({ table, column }: KeywordTable, lexemes: readonly string[], queries: readonly string[]): Statement {
  const countOf = (rows: string) => `(SELECT count(*)::int FROM (SELECT 1 FROM ${rows} LIMIT ${COUNTED_ROWS}) AS counted)`;
  const sql = `SELECT ${countOf(table)} AS rows, lexeme, ${countOf(`${table} WHERE ${column} @@ query`)} AS count
FROM (SELECT lexeme, query::tsquery FROM unnest($1::text[], $2::text[]) AS lexemes (lexeme, query) OFFSET 0) AS lexemes`;
  return { sql, parameters: [lexemes, queries] };
}

/**
 * Makes the one statement that finds and ranks the rows of each plan, best first, at most `limit` for each. Of equal ones those with fewer words come first:
 * they are more about these; then by id.
 *
 * The candidates are read in their order, lazily, until there are enough: `OFFSET 0` keeps the planner from turning the order around.
 *
 * @param conditionsOf conditions on the rows; gets the list that values are appended to, `$n` counts from its length on
 */
export function rankingStatementOf(
  { table, alias = table, column }: KeywordTable,
  plans: readonly KeywordPlan[],
  limit: number,
  conditionsOf: (parameters: unknown[]) => readonly string[],
): Statement {
  const numbers = plans.map((_, index) => index + 1);
  const classNumbers = Array.from({ length: TERM_CLASSES }, (_, index) => index);
  const parameters: unknown[] = [
    limit,
    plans.flatMap(({ candidates }, index) => candidates.map(() => index + 1)),
    plans.flatMap(({ candidates }) => candidates),
    numbers,
    ...classNumbers.flatMap((number) => [
      plans.map(({ classes }) => classes[number]?.query ?? null),
      plans.map(({ classes }) => classes[number]?.weight ?? null),
    ]),
  ];
  const firstClass = parameters.length - 2 * TERM_CLASSES + 1;
  const conditions = conditionsOf(parameters);
  const from = `${table} AS ${alias}`;
  const arrays = classNumbers.map((number) => `$${firstClass + 2 * number}::text[], $${firstClass + 2 * number + 1}::float8[]`);
  const names = classNumbers.map((number) => `query_${number}, weight_${number}`);
  const parsed = classNumbers.map((number) => `query_${number}::tsquery, weight_${number}`);
  const score = classNumbers.map((number) => `coalesce(weight_${number} * ts_rank('${LABEL_WEIGHTS}', keywords, query_${number}), 0)`);
  const sql = `SELECT texts.number AS text_number, ranked.id, ranked.score
FROM (SELECT number, ${parsed.join(', ')} FROM unnest($4::int[], ${arrays.join(', ')}) AS texts (number, ${names.join(', ')}) OFFSET 0) AS texts
CROSS JOIN LATERAL (
  SELECT id, ${score.join(' + ')} AS score, length(keywords) AS length
  FROM (
    SELECT DISTINCT ON (id) id, keywords FROM (
      SELECT found.id, found.keywords
      FROM (SELECT query::tsquery FROM unnest($2::int[], $3::text[]) WITH ORDINALITY AS tries (number, query, position)
        WHERE tries.number = texts.number ORDER BY position) AS tries
      CROSS JOIN LATERAL (
        SELECT ${alias}.id, ${alias}.${column} AS keywords FROM ${from} WHERE ${[`${alias}.${column} @@ tries.query`, ...conditions].join(' AND ')} OFFSET 0
      ) AS found
      LIMIT ${RANKED_ROWS}
    ) AS candidates ORDER BY id
  ) AS candidates
  ORDER BY score DESC, length, id LIMIT $1::int
) AS ranked
ORDER BY texts.number, ranked.score DESC, ranked.length, ranked.id`;
  return { sql, parameters };
}
