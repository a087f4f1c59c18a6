import type { CopyConnection, ReplaceSession, SqlSession } from '#database';
import { crashPoint } from '#kernel';
import { resolve } from 'node:path';
import { BackupError } from './backup-error.js';
import { readManifest, type BackupManifest } from './backup-manifest.js';
import { completeIn } from './backup-register.js';
import { keepRows, returnRows, type KeptRows } from './kept-rows.js';
import { FILLED_BY_MIGRATIONS, listKindredTables, publicName } from './list-tables.js';
import { loadTables, type LoadedTables, type LoadProgress } from './load-tables.js';
import { verifyFiles } from './verify-backup.js';

export interface BackupRestorerParts {
  readonly connection: CopyConnection;
  /** Deletes again, in the transaction of the session, what an erasure had deleted after the backup; the triggers are on. Returns how many rows. */
  readonly reapplyErasures: (session: SqlSession, logged: readonly Record<string, unknown>[]) => Promise<number>;
  readonly onProgress?: (progress: LoadProgress | { readonly verifying: string }) => void;
}

export interface RestoreOptions {
  /** Replaces what the database holds. */
  readonly isForced: boolean;
}

export interface RestoredBackup extends LoadedTables, KeptRows {
  readonly manifest: BackupManifest;
  /** Rows that were in the backup and had been erased since. */
  readonly erasedAgain: number;
  /** Generations whose index is compared and written again before anything is trusted. */
  readonly generations: readonly number[];
}

/** Sessions of the service and of its commands, by the names they give themselves. */
const SERVICE = `
SELECT count(*)::int AS count FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = ANY(ARRAY['kindred', 'kindred-relay', 'kindred-command'])`;

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

/**
 * Puts a database back to a backup, in one transaction: at its end everything is restored, and until then, or when it fails or dies, everything is as it was.
 *
 * The index is not touched. What is restored says that it is older than the index, so the first process that starts compares and writes all of it again.
 */
export class BackupRestorer {
  constructor(private readonly parts: BackupRestorerParts) {}

  /** @throws BackupError when the files are damaged, the database holds rows and it was not forced, or a service uses it */
  async restore(from: string, { isForced }: RestoreOptions): Promise<RestoredBackup> {
    const folder = resolve(from);
    const manifest = await readManifest(folder);
    await verifyFiles(folder, manifest, (verifying) => this.parts.onProgress?.({ verifying }));
    return this.parts.connection.replace(async (session) => {
      await assertNoService(session);
      if (!isForced) await assertEmpty(session);
      const known = await keepRows(session);
      const loaded = await loadTables(session, folder, manifest, (progress) => this.parts.onProgress?.(progress));
      await session.migrateTo('all');
      const kept = await returnRows(session, known);
      const generations = await this.makeNew(session, manifest, folder);
      const erasedAgain = await this.parts.reapplyErasures(session, manifest.erasure_log);
      crashPoint('backup.before-commit');
      return { manifest, ...loaded, ...kept, erasedAgain, generations };
    });
  }

  private async makeNew(session: ReplaceSession, manifest: BackupManifest, folder: string): Promise<number[]> {
    const { rows } = await session.query<{ id: number }>(NEW_EPOCH);
    await session.query(CLEAR_LEASES);
    await session.query(FORGET_QUEUE);
    await session.query(DROP_QUEUE);
    await completeIn(session, manifest, folder);
    return rows.map(({ id }) => id);
  }
}

async function assertNoService(session: SqlSession): Promise<void> {
  const { rows } = await session.query<{ count: number }>(SERVICE);
  if (rows[0]!.count > 0)
    throw new BackupError(`The service uses this database (${rows[0]!.count} connections). Stop every process of it, then restore.`);
}

async function assertEmpty(session: SqlSession): Promise<void> {
  const held: string[] = [];
  for (const { name } of await listKindredTables(session)) {
    if (FILLED_BY_MIGRATIONS.has(name)) continue;
    const { rows } = await session.query(`SELECT 1 FROM ${publicName(name)} LIMIT 1`);
    if (rows.length > 0) held.push(name);
  }
  if (held.length > 0)
    throw new BackupError(
      `The database is not empty: ${held.join(', ')} hold rows. Give --force to replace all of it, or restore into another one.`,
    );
}
