import { type CopyConnection, type CopySession, quoteIdentifier } from '#database';
import { crashPoint, type IdGenerator } from '#kernel';
import { resolve } from 'node:path';
import { BackupError } from './backup-error.js';
import { BackupFolder } from './backup-folder.js';
import { FORMAT_VERSION, type BackupManifest, type BackupTable } from './backup-manifest.js';
import { BackupRegister } from './backup-register.js';
import { dumpTable } from './dump-table.js';
import { EXCLUDED_TABLES, listTables, publicName, type CopiedTable } from './list-tables.js';

export interface BackupProgress {
  readonly table: string;
  /** Of this table, so far. */
  readonly rows: number;
  readonly tablesDone: number;
  readonly tables: number;
}

export interface BackupWriterParts {
  readonly connection: CopyConnection;
  readonly ids: IdGenerator;
  readonly kindredVersion: string;
  /** Lines of the erasure log outside of the database. */
  readonly readErasureLog: () => Promise<readonly Record<string, unknown>[]>;
  readonly onProgress?: (progress: BackupProgress) => void;
}

export interface WrittenBackup {
  readonly manifest: BackupManifest;
  /** Absolute path. */
  readonly folder: string;
}

const VERSIONS = `SELECT current_setting('server_version') AS server, (SELECT id FROM kindred_identity) AS database_id, clock_timestamp() AS now`;
const APPLIED = 'SELECT name FROM migrations ORDER BY id';
const GENERATIONS = 'SELECT id, source, collection, state, epoch FROM index_generations ORDER BY id';
const SEQUENCES = `SELECT sequencename AS name FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1`;

/**
 * Makes backups: every row of the database as it was at one moment, each table in a file of its own, and a manifest that says what must be in them.
 *
 * The service may run meanwhile, and notices nothing but the load. The manifest comes last, under its name at once: a folder without it is no backup.
 */
export class BackupWriter {
  constructor(private readonly parts: BackupWriterParts) {}

  /**
   * Writes a backup into a folder that is empty or not there yet. What was written is removed again when it fails.
   *
   * @throws BackupError when the folder is in use, or the database is not one of Kindred; else what the server or the file system says
   */
  async write(to: string): Promise<WrittenBackup> {
    const { connection, ids } = this.parts;
    const folder = await BackupFolder.claim(resolve(to));
    const id = ids.uuid();
    let register: BackupRegister | null = null;
    try {
      const tables = await this.tables();
      register = await BackupRegister.find(connection);
      // Before anything is copied: a backup that nobody knows of could keep what was to be erased.
      await register?.begin(id, folder.path);
      // Written by others after the snapshot, lines would be in the log and not in the rows; the other way round nothing is lost.
      const manifest = await connection.snapshot((session) => this.copy(session, id, folder, tables));
      crashPoint('backup.before-manifest');
      await folder.finish(manifest);
      await register?.complete(manifest);
      return { manifest, folder: folder.path };
    } catch (error) {
      await folder.removeFiles().then(
        () => register?.forget(id),
        () => undefined,
      );
      throw error;
    }
  }

  private async tables(): Promise<CopiedTable[]> {
    const tables = await listTables(this.parts.connection.session);
    const names = new Set(tables.map(({ name }) => name));
    if (!names.has('kindred_identity') || !names.has('projects'))
      throw new BackupError('This database is not one of Kindred, or was never migrated. Start the service on it once.');
    return tables;
  }

  private async copy(session: CopySession, id: string, folder: BackupFolder, tables: readonly CopiedTable[]): Promise<BackupManifest> {
    // The snapshot begins with the next statement; from here on no table can be emptied under it.
    await session.query(`LOCK TABLE ${tables.map(({ name }) => publicName(name)).join(', ')} IN ACCESS SHARE MODE`);
    const { rows: versions } = await session.query<{ server: string; database_id: string | null; now: Date }>(VERSIONS);
    const { rows: applied } = await session.query<{ name: string }>(APPLIED);
    const { rows: generations } = await session.query<BackupManifest['generations'][number]>(GENERATIONS);
    const { readErasureLog, kindredVersion } = this.parts;
    const erasureLog = await readErasureLog();
    const copied: BackupTable[] = [];
    for (const [place, table] of tables.entries()) {
      const file = `${String(place + 1).padStart(3, '0')}-${table.name.replaceAll(/[^a-z0-9_]/g, '_')}.copy.gz`;
      const show = (rows: number) => this.parts.onProgress?.({ table: table.name, rows, tablesDone: place, tables: tables.length });
      const { rows, rowsDigest, bytes, sha256 } = await dumpTable(session, table, await folder.newFile(file), show);
      copied.push({ name: table.name, file, columns: [...table.columns], rows, bytes, sha256, rows_digest: rowsDigest });
      crashPoint('backup.table-written');
    }
    const { server, database_id: databaseId, now } = versions[0]!;
    return {
      format_version: FORMAT_VERSION,
      id,
      kindred_version: kindredVersion,
      created_at: now.toISOString(),
      postgresql_version: server,
      database_id: databaseId,
      migrations: applied.map(({ name }) => name),
      generations,
      index: { mode: 'rebuild-from-cache' },
      // Last: they belong to no snapshot, and must not be behind the rows.
      sequences: await readSequences(session),
      tables: copied,
      erasure_log: [...erasureLog],
    };
  }
}

/** For people: which tables of the schema are left out, and why. */
export const excludedTables = (): Readonly<Record<string, string>> => EXCLUDED_TABLES;

async function readSequences(session: CopySession): Promise<BackupManifest['sequences']> {
  const { rows: names } = await session.query<{ name: string }>(SEQUENCES);
  const sequences: BackupManifest['sequences'] = [];
  for (const { name } of names) {
    const { rows } = await session.query<{ last_value: string; is_called: boolean }>(
      `SELECT last_value::text AS last_value, is_called FROM public.${quoteIdentifier(name)}`,
    );
    sequences.push({ name, ...rows[0]! });
  }
  return sequences;
}
