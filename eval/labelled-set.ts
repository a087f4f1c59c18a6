import { InputError } from './input-error.js';
import { parseQrels, type Relevant } from './qrels.js';
import { parseQueries, type Query } from './queries.js';
import { readBytes } from './text-lines.js';

export interface LabelledQuery extends Query {
  /** Never empty. */
  readonly relevant: Relevant;
}

export interface LabelledSet {
  /** In the order of their file. */
  readonly queries: readonly LabelledQuery[];
  /** Queries that nothing is relevant to: they would count as 0 for every system, and are left out. */
  readonly unjudged: number;
}

/** Reads a file of queries and a file of judgements and joins them. @throws InputError as the readers do, and when no query has a relevant document */
export function loadLabelledSet(queriesFile: string, qrelsFile: string): LabelledSet {
  return joinLabelledSet(queriesFile, readBytes(queriesFile), qrelsFile, readBytes(qrelsFile));
}

/** As `loadLabelledSet`, on what the files hold. */
export function joinLabelledSet(queriesFile: string, queriesBytes: Uint8Array, qrelsFile: string, qrelsBytes: Uint8Array): LabelledSet {
  const queries = parseQueries(queriesFile, queriesBytes);
  const qrels = parseQrels(qrelsFile, qrelsBytes, new Set(queries.map(({ id }) => id)));
  const labelled = queries
    .map((query) => ({ ...query, relevant: qrels.get(query.id) ?? new Map<string, number>() }))
    .filter(({ relevant }) => relevant.size > 0);
  if (labelled.length === 0) throw new InputError(qrelsFile, null, 'names no relevant document');
  return { queries: labelled, unjudged: queries.length - labelled.length };
}
