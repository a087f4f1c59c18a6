import type { UnitOfWork } from '#database';
import type { ScheduledTask } from '../scheduled-task.js';

const RUNS_KEEP_DAYS = 7;
const CERTIFICATES_KEPT = 100;
/** A tombstone is checked within seconds of its due time; one that is this late has no relay, or a relay that cannot reach the index. */
const OVERDUE_MINUTES = 10;
const BATCH_DEFAULT = 5_000;

/* Reported only: a tombstone is purged by a relay, after it has seen that the point is gone (protocol rule 8). */
const OVERDUE = `
SELECT count(*)::integer AS count, extract(epoch FROM now() - min(l.next_attempt_at))::double precision AS oldest_seconds
FROM index_ledger l JOIN index_generations g ON g.id = l.generation_id
WHERE l.state = 'tombstone' AND g.state <> 'retired' AND l.next_attempt_at < now() - $1::double precision * interval '1 minute'`;

/* Rows of a generation whose collection is gone; its own removal was cut short. SKIP LOCKED: protocol rule 13. */
const LEFT_ENTRIES = `
WITH left_over AS (
  SELECT l.generation_id, l.source_id FROM index_ledger l JOIN index_generations g ON g.id = l.generation_id
  WHERE g.state = 'retired' AND g.dropped_at IS NOT NULL LIMIT $1 FOR UPDATE OF l SKIP LOCKED
)
DELETE FROM index_ledger l USING left_over o WHERE l.generation_id = o.generation_id AND l.source_id = o.source_id`;

/* The newest verdict of each schedule stays, however old: it may be one that runs once a year, or only by hand. */
const OLD_RUNS = `
DELETE FROM sync_schedule_runs WHERE (schedule, due_at) IN (
  SELECT r.schedule, r.due_at FROM sync_schedule_runs r
  WHERE r.outcome <> 'running' AND r.due_at < now() - $1::double precision * interval '1 day'
    AND r.due_at < (SELECT max(n.due_at) FROM sync_schedule_runs n WHERE n.schedule = r.schedule AND n.outcome IN ('done', 'failed'))
  LIMIT $2)`;

const OLD_CERTIFICATES = `
DELETE FROM index_certificates WHERE decision <> 'running' AND id IN (
  SELECT id FROM (
    SELECT id, row_number() OVER (PARTITION BY generation_id ORDER BY started_at DESC, id DESC) AS rank FROM index_certificates
  ) AS ranked
  WHERE rank > $1 LIMIT $2)`;

/* Of an entry that is gone, revived or died once more: they hold a reason that a person wrote. */
const OLD_MUTES = `
DELETE FROM dead_letter_mutes WHERE (generation_id, source_id) IN (
  SELECT m.generation_id, m.source_id FROM dead_letter_mutes m
  WHERE NOT EXISTS (SELECT FROM index_ledger l WHERE l.generation_id = m.generation_id AND l.source_id = m.source_id AND l.version = m.version)
  LIMIT $1)`;

export interface TombstonePurgeResult {
  readonly overdue_tombstones: number;
  /** `null` = none is overdue. */
  readonly oldest_overdue_seconds: number | null;
  readonly removed_entries: number;
  readonly removed_runs: number;
  readonly removed_certificates: number;
  readonly removed_mutes: number;
}

/** Looks after tombstones that should be gone, and removes what retired generations, old runs, old certificates and old mutes have left behind. */
export class TombstonePurgeTask implements ScheduledTask {
  readonly name = 'tombstone-purge';

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly wakeRelay: () => void,
    private readonly batchSize = BATCH_DEFAULT,
  ) {}

  async run(signal: AbortSignal): Promise<TombstonePurgeResult> {
    const { rows } = await this.unitOfWork.query<{ count: number; oldest_seconds: number | null }>(OVERDUE, [OVERDUE_MINUTES]);
    const { count, oldest_seconds } = rows[0]!;
    this.wakeRelay();
    return {
      overdue_tombstones: count,
      oldest_overdue_seconds: oldest_seconds === null ? null : Math.round(oldest_seconds),
      removed_entries: await this.removeAll(signal, LEFT_ENTRIES),
      removed_runs: await this.removeAll(signal, OLD_RUNS, RUNS_KEEP_DAYS),
      removed_certificates: await this.removeAll(signal, OLD_CERTIFICATES, CERTIFICATES_KEPT),
      removed_mutes: await this.removeAll(signal, OLD_MUTES),
    };
  }

  /** In batches, each a transaction of its own. */
  private async removeAll(signal: AbortSignal, statement: string, ...parameters: unknown[]): Promise<number> {
    let removed = 0;
    for (;;) {
      signal.throwIfAborted();
      const { rowCount } = await this.unitOfWork.query(statement, [...parameters, this.batchSize]);
      removed += rowCount;
      if (rowCount < this.batchSize) return removed;
    }
  }
}
