import type { SqlSession, UnitOfWork } from '#database';
import type { ScheduleName } from './schedule-names.js';

export type RunOutcome = 'running' | 'done' | 'failed' | 'skipped';

/** One due run of one schedule, as everybody sees it. */
export interface ScheduleRun {
  readonly schedule: string;
  readonly dueAt: Date;
  readonly startedAt: Date;
  /** `null` while it runs. */
  readonly finishedAt: Date | null;
  readonly outcome: RunOutcome;
  /** Host and process id of who runs or ran it. */
  readonly holder: string;
  readonly result: unknown;
}

export interface RunClaim {
  readonly schedule: ScheduleName;
  /** `null` = now, by the database's clock: a run by hand. */
  readonly dueAt: Date | null;
  readonly token: string;
  readonly holder: string;
  readonly leaseMs: number;
}

/** `taken`: another process has this due run. `skipped`: the run before it has not ended, and this one is recorded as left out. */
export type ClaimOutcome = { readonly kind: 'started'; readonly dueAt: Date } | { readonly kind: 'taken' | 'skipped' };

const NOW = 'SELECT clock_timestamp() AS now';

/* A runner that died leaves its row; without this, nothing could ever follow it. By the database's clock. */
const CLOSE_DEAD = `
UPDATE sync_schedule_runs
SET outcome = 'failed', finished_at = clock_timestamp(), lease_token = NULL, lease_until = NULL,
  result = '{"error": "the process that ran it has died, or could not renew its lease"}'
WHERE schedule = $1 AND outcome = 'running' AND lease_until <= clock_timestamp()`;

/*
 * The primary key lets one process have a due run; the index on running runs lets one run go at a time. No conflict target: either of them makes
 * this insert nothing, after waiting for a transaction that has the same row under way. Milliseconds, because that is what a Date can carry back.
 */
const START = `
INSERT INTO sync_schedule_runs (schedule, due_at, outcome, lease_token, lease_until, holder)
VALUES ($1, coalesce($2::timestamptz, date_trunc('milliseconds', clock_timestamp())), 'running', $3,
  clock_timestamp() + $4::double precision * interval '1 millisecond', $5)
ON CONFLICT DO NOTHING
RETURNING due_at`;

/* Reached by one of N: whose due run it is was decided by the same primary key. */
const SKIP = `
INSERT INTO sync_schedule_runs (schedule, due_at, outcome, finished_at, holder, result)
VALUES ($1, $2, 'skipped', clock_timestamp(), $3, '{"reason": "the run before has not ended"}')
ON CONFLICT DO NOTHING`;

const RENEW = `
UPDATE sync_schedule_runs SET lease_until = clock_timestamp() + $3::double precision * interval '1 millisecond'
WHERE schedule = $1 AND lease_token = $2 AND outcome = 'running' AND lease_until > clock_timestamp()`;

/* By token: whose lease was taken over writes nothing over the verdict of its successor. */
const FINISH = `
UPDATE sync_schedule_runs
SET outcome = $3, finished_at = clock_timestamp(), lease_token = NULL, lease_until = NULL, result = $4::jsonb
WHERE schedule = $1 AND lease_token = $2`;

const RUN_COLUMNS = 'schedule, due_at, started_at, finished_at, outcome, holder, result';

const LIST = `SELECT ${RUN_COLUMNS} FROM sync_schedule_runs WHERE schedule = $1 ORDER BY due_at DESC LIMIT $2`;

/* Besides the newest row of each schedule its newest verdict: a run under way, or one left out, must not hide the last result. */
const LATEST = `
SELECT run.*, kind
FROM unnest($1::text[]) AS name (schedule), LATERAL (
  (SELECT 'newest' AS kind, ${RUN_COLUMNS} FROM sync_schedule_runs r WHERE r.schedule = name.schedule ORDER BY due_at DESC LIMIT 1)
  UNION ALL
  (SELECT 'finished' AS kind, ${RUN_COLUMNS} FROM sync_schedule_runs r WHERE r.schedule = name.schedule AND r.outcome IN ('done', 'failed')
   ORDER BY due_at DESC LIMIT 1)
) AS run`;

interface RunRow {
  schedule: string;
  due_at: Date;
  started_at: Date;
  finished_at: Date | null;
  outcome: RunOutcome;
  holder: string;
  result: unknown;
}

export interface LatestRuns {
  readonly newest: ScheduleRun | null;
  /** The newest that ended as done or failed. */
  readonly finished: ScheduleRun | null;
}

/** The table of due runs: who may run what, and how it ended. */
export class ScheduleRuns {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** The database's clock, which is the only one that all processes share. */
  async now(): Promise<Date> {
    const { rows } = await this.unitOfWork.query<{ now: Date }>(NOW);
    return rows[0]!.now;
  }

  /** Decides, for one process among many, whether it runs this due run. */
  async claim({ schedule, dueAt, token, holder, leaseMs }: RunClaim): Promise<ClaimOutcome> {
    return this.unitOfWork.run(async (session: SqlSession): Promise<ClaimOutcome> => {
      await session.query(CLOSE_DEAD, [schedule]);
      const started = await session.query<{ due_at: Date }>(START, [schedule, dueAt, token, leaseMs, holder]);
      if (started.rows.length === 1) return { kind: 'started', dueAt: started.rows[0]!.due_at };
      if (dueAt === null) return { kind: 'taken' };
      const { rowCount } = await session.query(SKIP, [schedule, dueAt, holder]);
      return { kind: rowCount === 1 ? 'skipped' : 'taken' };
    });
  }

  /** Whether the lease still ran, and was prolonged. */
  async renew(schedule: ScheduleName, token: string, leaseMs: number): Promise<boolean> {
    const { rowCount } = await this.unitOfWork.query(RENEW, [schedule, token, leaseMs]);
    return rowCount === 1;
  }

  /** Records how the run ended; does nothing when another process has taken it over. */
  async finish(schedule: ScheduleName, token: string, outcome: 'done' | 'failed', result: unknown): Promise<void> {
    await this.unitOfWork.query(FINISH, [schedule, token, outcome, JSON.stringify(result ?? null)]);
  }

  /** Newest first. */
  async list(schedule: ScheduleName, limit: number): Promise<ScheduleRun[]> {
    const { rows } = await this.unitOfWork.query<RunRow>(LIST, [schedule, limit]);
    return rows.map(toRun);
  }

  async latest(schedules: readonly ScheduleName[]): Promise<Map<string, LatestRuns>> {
    const { rows } = await this.unitOfWork.query<RunRow & { kind: 'newest' | 'finished' }>(LATEST, [schedules]);
    const find = (name: string, kind: string): ScheduleRun | null => {
      const row = rows.find((one) => one.schedule === name && one.kind === kind);
      return row === undefined ? null : toRun(row);
    };
    return new Map(schedules.map((name) => [name, { newest: find(name, 'newest'), finished: find(name, 'finished') }]));
  }
}

function toRun(row: RunRow): ScheduleRun {
  return {
    schedule: row.schedule,
    dueAt: row.due_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    outcome: row.outcome,
    holder: row.holder,
    result: row.result,
  };
}
