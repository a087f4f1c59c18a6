import type { SqlSession } from '#database';
import type { LedgerError } from '../ledger/ledger-entry.js';
import type { DeadLetter, DeadLetterScope } from './dead-letter.js';

/** The last entry of the page before. */
export interface DeadLetterPosition {
  readonly generationId: number;
  readonly sourceId: string;
}

export interface DeadLetterFilter extends DeadLetterScope {
  readonly code?: string;
  readonly ids?: readonly string[];
}

/*
 * Keyset pages on the partial index of dead entries, so that a page costs the same however many there are. An entry without an error should not be
 * dead; it is shown all the same, because what is not shown cannot be requeued.
 */
const LIST = `
SELECT l.generation_id, g.source, l.source_id, l.version, l.attempts, l.last_error, l.changed_at, m.reason, m.muted_at
FROM index_ledger l JOIN index_generations g ON g.id = l.generation_id
  LEFT JOIN dead_letter_mutes m ON m.generation_id = l.generation_id AND m.source_id = l.source_id AND m.version = l.version
WHERE l.state = 'dead' AND g.state <> 'retired'
  AND ($1::int IS NULL OR l.generation_id = $1) AND ($2::text IS NULL OR g.source = $2)
  AND ($3::text IS NULL OR coalesce(l.last_error ->> 'code', 'unknown') = $3) AND ($4::uuid[] IS NULL OR l.source_id = ANY($4))
  AND ($5::int IS NULL OR (l.generation_id, l.source_id) > ($5, $6::uuid))
ORDER BY l.generation_id, l.source_id LIMIT $7`;

interface Row {
  generation_id: number;
  source: string;
  source_id: string;
  version: string;
  attempts: number;
  last_error: LedgerError | null;
  changed_at: Date;
  reason: string | null;
  muted_at: Date | null;
}

/** Lists dead entries in ascending order of generation and source id, behind `after` (exclusive; `null` = from the start). */
export async function listDeadLetters(
  session: SqlSession,
  filter: DeadLetterFilter,
  after: DeadLetterPosition | null,
  limit: number,
): Promise<DeadLetter[]> {
  const { rows } = await session.query<Row>(LIST, [
    filter.generationId ?? null,
    filter.source ?? null,
    filter.code ?? null,
    filter.ids ?? null,
    after?.generationId ?? null,
    after?.sourceId ?? null,
    limit,
  ]);
  return rows.map((row) => ({
    generationId: row.generation_id,
    source: row.source,
    sourceId: row.source_id,
    version: Number(row.version),
    attempts: row.attempts,
    error: row.last_error ?? { code: 'unknown', message: '', at: row.changed_at.toISOString() },
    changedAt: row.changed_at,
    mute: row.reason === null ? null : { reason: row.reason, at: row.muted_at! },
  }));
}
