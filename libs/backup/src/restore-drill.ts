import { CopyConnection, migrationNames } from '#database';
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { readManifest, type BackupManifest } from './backup-manifest.js';
import { bringUpToDate, type ReapplyErasures } from './bring-up-to-date.js';
import { digestTable } from './dump-table.js';
import { loadTables } from './load-tables.js';
import { verifyFiles } from './verify-backup.js';

/** Every scratch database is called so; no other database is ever created, written or dropped. */
export const SCRATCH_PREFIX = 'kindred_drill_';
const SUFFIX_BYTES = 6;

export interface TableComparison {
  readonly table: string;
  readonly rowsInBackup: number;
  readonly rowsRestored: number;
  /** Whether count and checksum of the rows are the same. */
  readonly isEqual: boolean;
}

export interface DrillReport {
  readonly manifest: BackupManifest;
  readonly database: string;
  readonly tables: readonly TableComparison[];
  /** Tables of the backup that are not Kindred's: no restore brings them back, and no failure is theirs. */
  readonly skipped: readonly string[];
  readonly rows: number;
  /** Migrations that are newer than the backup, which its rows went through. */
  readonly migrations: readonly string[];
  /** Rows that a restore would erase again. */
  readonly erasedAgain: number;
  readonly verifyMs: number;
  readonly restoreMs: number;
  readonly compareMs: number;
  readonly finishMs: number;
  readonly isPassed: boolean;
}

export interface DrillParts {
  readonly reapplyErasures: ReapplyErasures;
  readonly onStep?: (step: string) => void;
}

/**
 * Restores a backup into a database that is made for it on the same server, reads every row back and compares, does all the rest that a restore does, and
 * drops that database again.
 *
 * The database at `url` is only used to ask the server for another one; not one of its rows is read or written.
 *
 * @throws BackupError when the files are damaged, or of a newer release; what the server says when it makes no database for this role
 */
export async function restoreDrill(
  url: string,
  from: string,
  { reapplyErasures, onStep = () => undefined }: DrillParts,
): Promise<DrillReport> {
  const folder = resolve(from);
  const manifest = await readManifest(folder);
  const startedMs = performance.now();
  await verifyFiles(folder, manifest, (table) => onStep(`Reading ${table}`));
  const verifiedMs = performance.now();
  const name = `${SCRATCH_PREFIX}${randomBytes(SUFFIX_BYTES).toString('hex')}`;
  return withScratch(url, name, async (scratch) => {
    const { skipped } = await scratch.replace((session) =>
      loadTables(session, folder, manifest, ({ table, rows }) => onStep(`Restoring ${table}: ${rows} rows`)),
    );
    const restoredMs = performance.now();
    const tables = await compare(scratch, manifest, skipped, onStep);
    const comparedMs = performance.now();
    onStep('Bringing it up to date');
    const { erasedAgain } = await scratch.replace((session) => bringUpToDate(session, manifest, reapplyErasures));
    return {
      manifest,
      database: name,
      tables,
      skipped,
      rows: tables.reduce((sum, { rowsRestored }) => sum + rowsRestored, 0),
      verifyMs: verifiedMs - startedMs,
      restoreMs: restoredMs - verifiedMs,
      migrations: migrationNames().filter((migration) => !manifest.migrations.includes(migration)),
      erasedAgain,
      compareMs: comparedMs - restoredMs,
      finishMs: performance.now() - comparedMs,
      isPassed: tables.every(({ isEqual }) => isEqual),
    };
  });
}

async function compare(
  scratch: CopyConnection,
  manifest: BackupManifest,
  skipped: readonly string[],
  onStep: (step: string) => void,
): Promise<TableComparison[]> {
  return scratch.snapshot(async (session) => {
    const compared: TableComparison[] = [];
    for (const { name, columns, rows, rows_digest: digest } of manifest.tables) {
      if (skipped.includes(name)) continue;
      onStep(`Comparing ${name}`);
      const found = await digestTable(session, { name, columns });
      compared.push({
        table: name,
        rowsInBackup: rows,
        rowsRestored: found.rows,
        isEqual: found.rows === rows && found.rowsDigest === digest,
      });
    }
    return compared;
  });
}

async function withScratch<T>(url: string, name: string, work: (scratch: CopyConnection) => Promise<T>): Promise<T> {
  const server = await CopyConnection.open(url, 'kindred-drill');
  try {
    // template0: what somebody has put into template1 is not part of a backup.
    await server.session.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
    try {
      const scratch = await CopyConnection.open(databaseAt(url, name), 'kindred-drill');
      return await work(scratch).finally(() => scratch.close());
    } finally {
      await server.session.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    }
  } finally {
    await server.close();
  }
}

/** The same server, another database. */
export function databaseAt(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${name}`;
  return other.href;
}
