import type { SqlSession } from '#database';
import type { EntryPosition } from './judge-token.js';

export interface PositionKey {
  readonly generationId: number;
  readonly sourceId: string;
}

/*
 * For any number of waiting searches and writers at once, each key by the primary key. A generation that does not serve any more gives no row: its
 * collection is not searched, and once it is retired its entries are not marked by writes either, so that they would look settled.
 */
const READ = `
SELECT k.generation_id, k.source_id, l.state, l.version, l.indexed_version, l.in_doubt
FROM unnest($1::integer[], $2::uuid[]) AS k (generation_id, source_id)
JOIN index_generations g ON g.id = k.generation_id AND g.state = 'serving'
LEFT JOIN index_ledger l ON l.generation_id = k.generation_id AND l.source_id = k.source_id`;

interface Row {
  generation_id: number;
  source_id: string;
  state: EntryPosition['state'] | null;
  version: string;
  indexed_version: string | null;
  in_doubt: boolean;
}

/** Name of a key in the answer of {@link readPositions}. */
export function positionName({ generationId, sourceId }: PositionKey): string {
  return `${generationId} ${sourceId}`;
}

/** Where each row stands in its generation: `null` = no entry. A key whose generation does not serve is absent from the answer. */
export async function readPositions(session: SqlSession, keys: readonly PositionKey[]): Promise<Map<string, EntryPosition | null>> {
  const { rows } = await session.query<Row>(READ, [keys.map(({ generationId }) => generationId), keys.map(({ sourceId }) => sourceId)]);
  return new Map(
    rows.map((row) => [
      positionName({ generationId: row.generation_id, sourceId: row.source_id }),
      row.state === null ? null : toPosition(row, row.state),
    ]),
  );
}

function toPosition(row: Row, state: EntryPosition['state']): EntryPosition {
  return {
    state,
    version: Number(row.version),
    indexedVersion: row.indexed_version === null ? null : Number(row.indexed_version),
    isInDoubt: row.in_doubt,
  };
}
