import type { SqlSession } from '#database';
import { DomainError } from '#kernel';
import { GATE_REPORT_MAX_AGE_MINUTES, type GateReport } from './gate-report.js';

export interface SwitchConditions {
  readonly isFilled: boolean;
  readonly isPaused: boolean;
  /** The latest gate has passed, recently enough. */
  readonly isGated: boolean;
  readonly report: GateReport | null;
  /** Entries whose change is from before the gate and has not reached the index. */
  readonly pendingBefore: number;
  readonly dead: number;
}

/*
 * Protocol rule 12, read inside the transaction of the switch: the gate's findings may have aged since. A transaction that began before the gate and
 * committed after it shows here as pending with an old change.
 */
const READ = `
SELECT g.filled_at IS NOT NULL AS is_filled, g.paused_at IS NOT NULL AS is_paused, g.gate_report AS report,
  coalesce((g.gate_report->>'passed')::boolean
    AND (g.gate_report->>'checked_at')::timestamptz > clock_timestamp() - $2::integer * interval '1 minute', false) AS is_gated,
  (SELECT count(*)::integer FROM index_ledger l
    WHERE l.generation_id = g.id AND l.state = 'pending' AND l.changed_at <= (g.gate_report->>'began_at')::timestamptz) AS pending_before,
  (SELECT count(*)::integer FROM index_ledger l WHERE l.generation_id = g.id AND l.state = 'dead') AS dead
FROM index_generations g WHERE g.id = $1`;

interface Row {
  is_filled: boolean;
  is_paused: boolean;
  report: GateReport | null;
  is_gated: boolean;
  pending_before: number;
  dead: number;
}

/** Reads what a switch to the generation depends on; `null` = no such generation. */
export async function readSwitchConditions(session: SqlSession, generationId: number): Promise<SwitchConditions | null> {
  const { rows } = await session.query<Row>(READ, [generationId, GATE_REPORT_MAX_AGE_MINUTES]);
  const row = rows[0];
  if (row === undefined) return null;
  return {
    isFilled: row.is_filled,
    isPaused: row.is_paused,
    isGated: row.is_gated,
    report: row.report,
    pendingBefore: row.pending_before,
    dead: row.dead,
  };
}

/** Whether a gate of the generation has passed within its time, so that a switch need not run another one. */
export async function isGateFresh(session: SqlSession, generationId: number): Promise<boolean> {
  return (await readSwitchConditions(session, generationId))?.isGated ?? false;
}

/**
 * Makes sure, in the transaction of the switch, that what the gate has found still holds.
 *
 * @throws DomainError `generations.gate-refused` with all reasons
 */
export async function assertSwitchConditions(session: SqlSession, generationId: number, isForced: boolean): Promise<void> {
  const conditions = await readSwitchConditions(session, generationId);
  const reasons: string[] = [];
  if (conditions?.isGated !== true) reasons.push('its gate report is no longer good: run the gate again');
  if (conditions?.isFilled !== true) reasons.push('not-filled: not all rows have been entered yet');
  if (conditions?.isPaused === true) reasons.push('paused: its relays stand still');
  const pending = conditions?.pendingBefore ?? 0;
  if (pending > 0) reasons.push(`pending: ${pending} changes from before the gate have not reached the index`);
  const dead = conditions?.dead ?? 0;
  if (dead > 0 && !isForced) reasons.push(`dead: ${dead} entries were given up`);
  if (reasons.length > 0) throw new DomainError('generations.gate-refused', { detail: reasons.join('; ') });
}
