import type { SqlSession } from '#database';
import type { IndexEntryStatus } from '../serving-index.js';
import { BUCKET_OF_ENTRY } from './bucket-of-entry.js';

/** An entry as a comparison with the index needs it. */
export interface LedgerEntry {
  readonly sourceId: string;
  readonly state: IndexEntryStatus['state'];
  readonly version: number;
  readonly isInDoubt: boolean;
  /** Whether a relay holds it at this moment. */
  readonly isLeased: boolean;
  readonly indexedVersion: number | null;
  /** Hex, as points carry it. */
  readonly indexedHash: string | null;
  readonly indexedPayloadHash: string | null;
}

const COLUMNS = `source_id, state, version, in_doubt, coalesce(lease_until > now(), false) AS is_leased, indexed_version, encode(indexed_hash, 'hex') AS indexed_hash, encode(indexed_payload_hash, 'hex') AS indexed_payload_hash`;

/*
 * Keyset pages: memory stays bounded, and no transaction stays open between pages. The bound is one comparison of both key columns, and the generation is
 * checked outside: after a bulk load, before the table is analysed, the planner takes an equality and a range for a handful of rows, and sorts the whole
 * rest of the ledger for every page.
 */
const LIST = `
SELECT page.* FROM (
  SELECT generation_id, ${COLUMNS} FROM index_ledger
  WHERE (generation_id, source_id) > (CASE WHEN $2::uuid IS NULL THEN $1::integer - 1 ELSE $1 END, coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid))
  ORDER BY generation_id, source_id LIMIT $3) AS page
WHERE page.generation_id = $1 ORDER BY page.source_id`;

/*
 * One bucket of the quick check: a scan of the generation's entries, once per bucket that differs. An index on the expression would cost every write of
 * the ledger for the sake of a search that is hardly ever made.
 */
const LIST_BUCKET = `SELECT ${COLUMNS} FROM index_ledger WHERE generation_id = $1 AND ${BUCKET_OF_ENTRY} = $2`;

const GET = `SELECT ${COLUMNS} FROM index_ledger WHERE generation_id = $1 AND source_id = ANY($2::uuid[])`;

interface Row {
  source_id: string;
  state: LedgerEntry['state'];
  version: string;
  in_doubt: boolean;
  is_leased: boolean;
  indexed_version: string | null;
  indexed_hash: string | null;
  indexed_payload_hash: string | null;
}

/** Lists entries of all states in ascending order of the id, behind `after` (exclusive; `null` = from the start). */
export async function listEntries(session: SqlSession, generationId: number, after: string | null, limit: number): Promise<LedgerEntry[]> {
  const { rows } = await session.query<Row>(LIST, [generationId, after, limit]);
  return rows.map(toEntry);
}

/** Lists the entries whose id ends with the two hex digits, in no particular order. */
export async function listBucketEntries(session: SqlSession, generationId: number, bucket: string): Promise<LedgerEntry[]> {
  const { rows } = await session.query<Row>(LIST_BUCKET, [generationId, bucket]);
  return rows.map(toEntry);
}

/** Reads entries by id; unknown ids are absent. */
export async function getEntries(session: SqlSession, generationId: number, sourceIds: readonly string[]): Promise<LedgerEntry[]> {
  const { rows } = await session.query<Row>(GET, [generationId, sourceIds]);
  return rows.map(toEntry);
}

function toEntry(row: Row): LedgerEntry {
  return {
    sourceId: row.source_id,
    state: row.state,
    version: Number(row.version),
    isInDoubt: row.in_doubt,
    isLeased: row.is_leased,
    indexedVersion: row.indexed_version === null ? null : Number(row.indexed_version),
    indexedHash: row.indexed_hash,
    indexedPayloadHash: row.indexed_payload_hash,
  };
}
