import type { ReplaceSession, SqlSession } from '#database';
import type { BackupManifest } from './backup-manifest.js';

/*
 * Protocol rule 10. Paused: no relay claims anything before the guard of the first process that starts has raised the versions above every rev of the index,
 * and has marked all entries. The new epoch is one that no collection holds. The gate has seen an index that is not there any more.
 */
const NEW_EPOCH = `
UPDATE index_generations SET epoch = public.kindred_uuid_v7(), previous_epoch = NULL, gate_report = NULL,
  paused_at = clock_timestamp(), pause_reason = 'The database was restored from a backup'
WHERE state <> 'retired' RETURNING id`;

const CLEAR_LEASES = `UPDATE index_ledger SET lease_token = NULL, lease_until = NULL WHERE lease_token IS NOT NULL`;

/* Their entries in the queue were not in the backup; the sweep enters them again. */
const FORGET_QUEUE = `UPDATE ingestion_jobs SET queue_id = NULL, enqueued_at = NULL WHERE queue_id IS NOT NULL`;

/** The queue makes its schema when a process starts. */
const DROP_QUEUE = `DROP SCHEMA IF EXISTS pgboss CASCADE`;

/** Deletes again, in the transaction of the session, what an erasure had deleted after the backup; the triggers are on. Returns how many rows. */
export type ReapplyErasures = (session: SqlSession, logged: readonly Record<string, unknown>[]) => Promise<number>;

export interface BroughtUpToDate {
  /** Rows that were in the backup and had been erased since. */
  readonly erasedAgain: number;
  /** Generations whose index is compared and written again before anything is trusted. */
  readonly generations: readonly number[];
}

/**
 * Makes of the tables that a backup gave back what this release can start with: their schema is the newest, the index is one that nobody trusts yet, and what
 * was erased since is gone.
 */
export async function bringUpToDate(
  session: ReplaceSession,
  manifest: BackupManifest,
  reapplyErasures: ReapplyErasures,
): Promise<BroughtUpToDate> {
  await session.migrateTo('all');
  const { rows } = await session.query<{ id: number }>(NEW_EPOCH);
  await session.query(CLEAR_LEASES);
  await session.query(FORGET_QUEUE);
  await session.query(DROP_QUEUE);
  return { erasedAgain: await reapplyErasures(session, manifest.erasure_log), generations: rows.map(({ id }) => id) };
}
