import type { SqlSession } from '#database';
import type { GateReport } from './gate-report.js';

const SAVE = `UPDATE index_generations SET gate_report = $2::jsonb WHERE id = $1 AND state <> 'retired'`;

/* What the gate has read is no longer so. */
const CLEAR = `UPDATE index_generations SET gate_report = NULL WHERE id = $1 AND gate_report IS NOT NULL`;

/* The process that ran it is gone: its lease has ended, and nobody will write the end of its report. */
const FAIL_ABANDONED = `
UPDATE index_generations g SET gate_report = g.gate_report || '{"status": "failed"}'::jsonb
WHERE g.gate_report->>'status' = 'running'
  AND NOT EXISTS (SELECT 1 FROM sync_leases l WHERE l.name = 'gate:' || g.id AND l.lease_until > clock_timestamp())
RETURNING g.id`;

/** The lease under which one process runs the gate of a generation. */
export const gateLeaseName = (generationId: number): string => `gate:${generationId}`;

/** Stores the report of a generation, over the one before. */
export async function saveGateReport(session: SqlSession, generationId: number, report: GateReport): Promise<void> {
  await session.query(SAVE, [generationId, JSON.stringify(report)]);
}

/** Takes back what a gate has allowed: the index of the generation was lost, or is no longer what the gate has read. */
export async function clearGateReport(session: SqlSession, generationId: number): Promise<void> {
  await session.query(CLEAR, [generationId]);
}

/** Ends the reports of gates whose process died; returns the generations. */
export async function failAbandonedGates(session: SqlSession): Promise<number[]> {
  return (await session.query<{ id: number }>(FAIL_ABANDONED)).rows.map(({ id }) => id);
}
