import type { SqlSession, UnitOfWork } from '#database';
import type { IndexSource } from '../index-source.js';
import { BUCKET_OF_ENTRY } from '../ledger/bucket-of-entry.js';

export interface EntryCounts {
  readonly synced: number;
  readonly pending: number;
  readonly tombstone: number;
  readonly dead: number;
}

/** Counts of both sides of the database by bucket, in one snapshot. */
export interface DatabaseCounts {
  readonly rows: ReadonlyMap<string, number>;
  readonly entries: ReadonlyMap<string, EntryCounts>;
}

export interface DifferingBuckets {
  /** Buckets to be compared id by id, in ascending order. */
  readonly all: readonly string[];
  /** Those of them with rows that the ledger does not know. */
  readonly withUnknownRows: readonly string[];
}

const COUNT = `
SELECT ${BUCKET_OF_ENTRY} AS bucket,
  count(*) FILTER (WHERE state = 'synced')::integer AS synced, count(*) FILTER (WHERE state = 'pending')::integer AS pending,
  count(*) FILTER (WHERE state = 'tombstone')::integer AS tombstone, count(*) FILTER (WHERE state = 'dead')::integer AS dead
FROM index_ledger WHERE generation_id = $1 GROUP BY 1`;

const NO_ENTRIES: EntryCounts = { synced: 0, pending: 0, tombstone: 0, dead: 0 };

/** Counts rows and ledger entries exactly. */
export async function countDatabase(unitOfWork: UnitOfWork, generationId: number, source: IndexSource): Promise<DatabaseCounts> {
  return unitOfWork.run(
    async (session) => ({ entries: await countEntries(session, generationId), rows: await source.countByBucket(session) }),
    { isolation: 'REPEATABLE READ', isReadOnly: true },
  );
}

async function countEntries(session: SqlSession, generationId: number): Promise<Map<string, EntryCounts>> {
  const { rows } = await session.query<EntryCounts & { bucket: string }>(COUNT, [generationId]);
  return new Map(rows.map(({ bucket, ...counts }) => [bucket, counts]));
}

/**
 * Finds the buckets whose counts cannot be right. A synced entry has its point and its row; one in flight or dead may have a point or none; a row has an
 * entry that is no tombstone.
 *
 * @param hasAllEntries whether every row must have an entry; not so while the generation is being filled
 */
export function findDifferingBuckets(
  { rows, entries }: DatabaseCounts,
  points: ReadonlyMap<string, number>,
  hasAllEntries: boolean,
): DifferingBuckets {
  const all: string[] = [];
  const withUnknownRows: string[] = [];
  for (const bucket of [...new Set([...rows.keys(), ...entries.keys(), ...points.keys()])].sort()) {
    const { synced, pending, tombstone, dead } = entries.get(bucket) ?? NO_ENTRIES;
    const [rowCount, pointCount] = [rows.get(bucket) ?? 0, points.get(bucket) ?? 0];
    const hasUnknownRows = hasAllEntries && rowCount > synced + pending + dead;
    const arePointsRight = pointCount >= synced && pointCount <= synced + pending + tombstone + dead;
    if (hasUnknownRows) withUnknownRows.push(bucket);
    if (hasUnknownRows || rowCount < synced || !arePointsRight) all.push(bucket);
  }
  return { all, withUnknownRows };
}

/** Sums up a column of the counts. */
export function sumOf(counts: ReadonlyMap<string, EntryCounts>, state: keyof EntryCounts): number {
  let sum = 0;
  for (const entry of counts.values()) sum += entry[state];
  return sum;
}
