import type { SqlSession } from '#database';
import type { GateReport } from './gate-report.js';
import type { GenerationRecord } from './generation-record.js';
import { GENERATION_COLUMNS, toGeneration, type GenerationRow } from './list-generations.js';

const RECORD_COLUMNS = `${GENERATION_COLUMNS}, created_at, serving_since, standby_since, retired_at, dropped_at, pause_reason, reason, gate_report`;

const LIST = `SELECT ${RECORD_COLUMNS} FROM index_generations WHERE $1::boolean OR state <> 'retired' ORDER BY id`;

const GET = `SELECT ${RECORD_COLUMNS} FROM index_generations WHERE id = $1`;

/* Retired ones that still have a collection or entries. */
const LIST_UNDROPPED = `SELECT ${RECORD_COLUMNS} FROM index_generations WHERE dropped_at IS NULL ORDER BY id`;

interface Row extends GenerationRow {
  created_at: Date;
  serving_since: Date | null;
  standby_since: Date | null;
  retired_at: Date | null;
  dropped_at: Date | null;
  pause_reason: string | null;
  reason: string | null;
  gate_report: GateReport | null;
}

/** All generations in ascending order of id, with or without the retired ones. */
export async function listGenerationRecords(session: SqlSession, areRetiredIncluded: boolean): Promise<GenerationRecord[]> {
  return (await session.query<Row>(LIST, [areRetiredIncluded])).rows.map(toRecord);
}

/** All generations of which something is left, retired ones included. */
export async function listUndroppedGenerations(session: SqlSession): Promise<GenerationRecord[]> {
  return (await session.query<Row>(LIST_UNDROPPED)).rows.map(toRecord);
}

/** One generation, read now, past every cache. */
export async function getGenerationRecord(session: SqlSession, id: number): Promise<GenerationRecord | null> {
  const { rows } = await session.query<Row>(GET, [id]);
  return rows[0] === undefined ? null : toRecord(rows[0]);
}

function toRecord(row: Row): GenerationRecord {
  return {
    ...toGeneration(row),
    createdAt: row.created_at,
    servingSince: row.serving_since,
    standbySince: row.standby_since,
    retiredAt: row.retired_at,
    droppedAt: row.dropped_at,
    pauseReason: row.pause_reason,
    reason: row.reason,
    gateReport: row.gate_report,
  };
}
