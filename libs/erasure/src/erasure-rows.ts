import type { SqlSession } from '#database';
import type { ErasureKind } from './erasure-record.js';
import type { Erasure, ErasureState, ErasureStep, ErasureSubject, RegisteredBackup } from './erasure.js';

const SUBJECT = 'id, ordinal, kind, target_id, source, point_ids, text_hashes, requested_at';

const INSERT = `
INSERT INTO erasures (kind, target_id, source, point_ids, text_hashes) VALUES ($1, $2::uuid, $3, $4::uuid[], $5::bytea[]) RETURNING ${SUBJECT}`;

/* One process at a time, by the database's clock; one that dies leaves it to the others after the lease. */
const CLAIM = `
UPDATE erasures SET next_attempt_at = now() + $1::double precision * interval '1 millisecond', attempts = attempts + 1
WHERE id = (SELECT id FROM erasures WHERE state = 'pending' AND next_attempt_at <= now() ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING ${SUBJECT}, attempts, logged_at IS NOT NULL AS is_logged`;

const MARK_LOGGED = 'UPDATE erasures SET logged_at = clock_timestamp() WHERE id = $1::uuid AND logged_at IS NULL';

/* Proven stays proven: a later look may find somebody else's row. */
const SAVE_STEP = `
INSERT INTO erasure_steps AS s (erasure_id, place, part, state, removed, proven_at, detail)
VALUES ($1::uuid, $2, $3, $4, $5, CASE WHEN $4 = 'proven' THEN clock_timestamp() END, $6)
ON CONFLICT (erasure_id, place, part) DO UPDATE SET state = EXCLUDED.state, removed = s.removed + EXCLUDED.removed, checked_at = clock_timestamp(),
  proven_at = coalesce(s.proven_at, EXCLUDED.proven_at), detail = EXCLUDED.detail
WHERE s.state <> 'proven'`;

const FINISH = `UPDATE erasures SET state = $2, finished_at = clock_timestamp(), last_error = $3 WHERE id = $1::uuid AND state = 'pending'`;

const RETRY = `
UPDATE erasures SET next_attempt_at = now() + $2::double precision * interval '1 millisecond', last_error = $3 WHERE id = $1::uuid AND state = 'pending'`;

const RENEW = `
UPDATE erasures SET next_attempt_at = now() + $2::double precision * interval '1 millisecond' WHERE id = $1::uuid AND state = 'pending'`;

const FIND = `
SELECT id, ordinal, kind, target_id, source, requested_at, state, logged_at, finished_at, last_error FROM erasures WHERE id = $1::uuid`;
const STEPS =
  'SELECT place, part, state, removed, checked_at, proven_at, detail FROM erasure_steps WHERE erasure_id = $1::uuid ORDER BY place, part';
/* The request is older than the commit, and a backup that began in between holds the row; the line in the log is written behind the commit. */
const BACKUPS = `
SELECT id, begun_at, finished_at, location FROM backups WHERE begun_at <= coalesce($1::timestamptz, now()) ORDER BY begun_at DESC LIMIT 1000`;
const PROVEN_PLACES = `
SELECT place FROM erasure_steps WHERE erasure_id = $1::uuid GROUP BY place HAVING bool_and(state = 'proven')`;

interface SubjectRow {
  readonly id: string;
  readonly ordinal: string;
  readonly kind: ErasureKind;
  readonly target_id: string;
  readonly source: string;
  readonly point_ids: string[];
  readonly text_hashes: Buffer[];
  readonly requested_at: Date;
}

/** An erasure that this process works on now. */
export interface ClaimedErasure {
  readonly subject: ErasureSubject;
  readonly attempts: number;
  readonly isLogged: boolean;
}

export type NewErasure = Pick<ErasureSubject, 'kind' | 'targetId' | 'source' | 'pointIds' | 'textHashes'>;

export async function insertErasure(session: SqlSession, erasure: NewErasure): Promise<ErasureSubject> {
  const { kind, targetId, source, pointIds, textHashes } = erasure;
  const { rows } = await session.query<SubjectRow>(INSERT, [kind, targetId, source, pointIds, textHashes]);
  return subjectOf(rows[0]!);
}

/** Takes the erasure that is due longest, for `leaseMs`; `null` when none is. */
export async function claimErasure(session: SqlSession, leaseMs: number): Promise<ClaimedErasure | null> {
  const { rows } = await session.query<SubjectRow & { attempts: number; is_logged: boolean }>(CLAIM, [leaseMs]);
  const row = rows[0];
  return row === undefined ? null : { subject: subjectOf(row), attempts: row.attempts, isLogged: row.is_logged };
}

export async function renewErasure(session: SqlSession, id: string, leaseMs: number): Promise<void> {
  await session.query(RENEW, [id, leaseMs]);
}

export async function markLogged(session: SqlSession, id: string): Promise<void> {
  await session.query(MARK_LOGGED, [id]);
}

export async function saveStep(session: SqlSession, id: string, step: Omit<ErasureStep, 'checkedAt' | 'provenAt'>): Promise<void> {
  await session.query(SAVE_STEP, [id, step.place, step.part, step.state, step.removed, step.detail]);
}

export async function provenPlaces(session: SqlSession, id: string): Promise<ReadonlySet<string>> {
  const { rows } = await session.query<{ place: string }>(PROVEN_PLACES, [id]);
  return new Set(rows.map(({ place }) => place));
}

export async function finishErasure(
  session: SqlSession,
  id: string,
  state: Exclude<ErasureState, 'pending'>,
  error: string | null,
): Promise<void> {
  await session.query(FINISH, [id, state, error]);
}

export async function retryErasure(session: SqlSession, id: string, pauseMs: number, error: string | null): Promise<void> {
  await session.query(RETRY, [id, pauseMs, error]);
}

/** `null` when there is none. */
export async function findErasure(session: SqlSession, id: string): Promise<Erasure | null> {
  interface Row extends Omit<SubjectRow, 'point_ids' | 'text_hashes'> {
    readonly state: ErasureState;
    readonly logged_at: Date | null;
    readonly finished_at: Date | null;
    readonly last_error: string | null;
  }
  const { rows } = await session.query<Row>(FIND, [id]);
  const row = rows[0];
  if (row === undefined) return null;
  const { rows: steps } = await session.query<StepRow>(STEPS, [id]);
  const { rows: backups } = await session.query<BackupRow>(BACKUPS, [row.logged_at]);
  return {
    id: row.id,
    ordinal: Number(row.ordinal),
    kind: row.kind,
    targetId: row.target_id,
    source: row.source,
    requestedAt: row.requested_at,
    state: row.state,
    loggedAt: row.logged_at,
    finishedAt: row.finished_at,
    lastError: row.last_error,
    steps: steps.map(stepOf),
    backups: backups.map(backupOf),
  };
}

interface StepRow {
  readonly place: string;
  readonly part: string;
  readonly state: ErasureState;
  readonly removed: string;
  readonly checked_at: Date;
  readonly proven_at: Date | null;
  readonly detail: string | null;
}

interface BackupRow {
  readonly id: string;
  readonly begun_at: Date;
  readonly finished_at: Date | null;
  readonly location: string;
}

function subjectOf(row: SubjectRow): ErasureSubject {
  return {
    id: row.id,
    ordinal: Number(row.ordinal),
    kind: row.kind,
    targetId: row.target_id,
    source: row.source,
    pointIds: row.point_ids,
    textHashes: row.text_hashes,
    requestedAt: row.requested_at,
  };
}

const stepOf = ({ place, part, state, removed, checked_at, proven_at, detail }: StepRow): ErasureStep => ({
  place,
  part,
  state,
  removed: Number(removed),
  checkedAt: checked_at,
  provenAt: proven_at,
  detail,
});

const backupOf = ({ id, begun_at, finished_at, location }: BackupRow): RegisteredBackup => ({
  id,
  begunAt: begun_at,
  finishedAt: finished_at,
  location,
});
