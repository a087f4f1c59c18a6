import type { CopyConnection, SqlSession } from '#database';
import { crashPoint } from '#kernel';
import { resolve } from 'node:path';
import { BackupError } from './backup-error.js';
import { readManifest, type BackupManifest } from './backup-manifest.js';
import { completeIn } from './backup-register.js';
import { bringUpToDate, type BroughtUpToDate, type ReapplyErasures } from './bring-up-to-date.js';
import { keepRows, returnRows, type KeptRows } from './kept-rows.js';
import { FILLED_BY_MIGRATIONS, listKindredTables, publicName } from './list-tables.js';
import { loadTables, type LoadedTables, type LoadProgress } from './load-tables.js';
import { verifyFiles } from './verify-backup.js';

export interface BackupRestorerParts {
  readonly connection: CopyConnection;
  readonly reapplyErasures: ReapplyErasures;
  /** Records the restore, in its transaction. */
  readonly record: (session: SqlSession, manifest: BackupManifest, folder: string) => Promise<void>;
  readonly onProgress?: (progress: LoadProgress | { readonly verifying: string }) => void;
}

export interface RestoreOptions {
  /** Replaces what the database holds. */
  readonly isForced: boolean;
}

export interface RestoredBackup extends LoadedTables, KeptRows, BroughtUpToDate {
  readonly manifest: BackupManifest;
}

/** Sessions of the service and of its commands, by the names they give themselves. */
const SERVICE = `
SELECT count(*)::int AS count FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = ANY(ARRAY['kindred', 'kindred-relay', 'kindred-command'])`;

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
      const current = await bringUpToDate(session, manifest, this.parts.reapplyErasures);
      const kept = await returnRows(session, known);
      await completeIn(session, manifest, folder);
      await this.parts.record(session, manifest, folder);
      crashPoint('backup.before-commit');
      return { manifest, ...loaded, ...kept, ...current };
    });
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
