import { hasRelation, quoteIdentifier, type ReplaceSession, type SqlSession } from '#database';
import { crashPoint } from '#kernel';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { BackupError } from './backup-error.js';
import type { BackupManifest, BackupTable } from './backup-manifest.js';
import { passing } from './dump-table.js';
import { columnList, KINDRED_TABLES, listKindredTables, publicName, type CopiedTable } from './list-tables.js';
import { RowDigest } from './row-digest.js';

export interface LoadedTables {
  readonly rows: number;
  /** Tables of the backup that no migration makes: they were never Kindred's, and stay in the backup. */
  readonly skipped: readonly string[];
}

export interface LoadProgress {
  readonly table: string;
  readonly rows: number;
  readonly tablesDone: number;
  readonly tables: number;
}

interface Trigger {
  readonly table: string;
  readonly name: string;
  /** How it fires: O = ordinarily, A = always, R = on replicas, D = not at all. */
  readonly mode: string;
}

const TRIGGERS = `
SELECT c.relname AS table, t.tgname AS name, t.tgenabled AS mode FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND NOT t.tgisinternal AND c.relname = ANY($1::text[])`;

const FIRING: Readonly<Record<string, string>> = { O: 'ENABLE', A: 'ENABLE ALWAYS', R: 'ENABLE REPLICA', D: 'DISABLE' };

/** Never backwards: setval outlives a rollback, and a version that was given out must not be given out again. */
const RAISE = (sequence: string) =>
  `SELECT setval($1::regclass, greatest(last_value, $2::bigint), is_called OR $3::boolean) FROM ${sequence}`;

/**
 * Empties all tables of Kindred and fills them from the backup, in the transaction of the session; the schema becomes that of the backup first.
 *
 * While rows are copied, the triggers of the tables are off: the ledger comes out of the backup, and must not hear of every row once more. That needs the
 * owner of the tables; session_replication_role would need a superuser, which managed servers do not give, and would not stop triggers that fire always.
 * Foreign keys stay on, so parents come first.
 */
export async function loadTables(
  session: ReplaceSession,
  folder: string,
  manifest: BackupManifest,
  onProgress: (progress: LoadProgress) => void = () => undefined,
): Promise<LoadedTables> {
  await session.migrateTo(manifest.migrations);
  const there = await listKindredTables(session);
  const stored = new Map(manifest.tables.map((table) => [table.name, table]));
  const wanted = there.filter(({ name }) => stored.has(name));
  await withoutTriggers(session, there, async () => {
    await empty(session, there);
    for (const [place, { name }] of wanted.entries()) {
      const show = (rows: number) => onProgress({ table: name, rows, tablesDone: place, tables: wanted.length });
      await loadTable(session, folder, stored.get(name)!, show);
      crashPoint('backup.table-restored');
    }
  });
  await raiseSequences(session, manifest);
  return {
    rows: wanted.reduce((sum, { name }) => sum + stored.get(name)!.rows, 0),
    skipped: manifest.tables.filter(({ name }) => !KINDRED_TABLES.has(name)).map(({ name }) => name),
  };
}

async function empty(session: SqlSession, tables: readonly CopiedTable[]): Promise<void> {
  try {
    await session.query(`TRUNCATE ${tables.map(({ name }) => publicName(name)).join(', ')}`);
  } catch (error) {
    throw asRefusal(error);
  }
}

async function raiseSequences(session: SqlSession, manifest: BackupManifest): Promise<void> {
  for (const { name, last_value: value, is_called: isCalled } of manifest.sequences) {
    const sequence = `public.${quoteIdentifier(name)}`;
    if (await hasRelation(session, sequence)) await session.query(RAISE(sequence), [sequence, value, isCalled]);
  }
}

/** Runs `work` while the triggers of the tables are off, and leaves them as they were. The lock that this takes ends with the transaction. */
async function withoutTriggers(session: SqlSession, tables: readonly CopiedTable[], work: () => Promise<void>): Promise<void> {
  const { rows: triggers } = await session.query<Trigger>(TRIGGERS, [tables.map(({ name }) => name)]);
  for (const { name } of tables) await session.query(`ALTER TABLE ${publicName(name)} DISABLE TRIGGER USER`);
  await work();
  for (const { table, name, mode } of triggers)
    await session.query(`ALTER TABLE ${publicName(table)} ${FIRING[mode]!} TRIGGER ${quoteIdentifier(name)}`);
}

async function loadTable(session: ReplaceSession, folder: string, table: BackupTable, onRows: (rows: number) => void): Promise<void> {
  const digest = new RowDigest();
  const tap = passing((chunk) => {
    digest.update(chunk);
    onRows(digest.rows);
  });
  const target = session.copyIn(`COPY ${publicName(table.name)} (${columnList(table.columns)}) FROM STDIN`);
  await pipeline(createReadStream(join(folder, table.file)), createGunzip(), tap, target);
  const { rows } = await session.query<{ count: string }>(`SELECT count(*) AS count FROM ${publicName(table.name)}`);
  const count = Number(rows[0]!.count);
  if (count !== table.rows || digest.digest() !== table.rows_digest)
    throw new BackupError(`${table.name} has ${count} rows after the copy, and the backup ${table.rows}. Everything was taken back.`);
}

/** feature_not_supported: TRUNCATE of a table that a table of somebody else refers to. */
function asRefusal(error: unknown): unknown {
  if ((error as { code?: string }).code !== '0A000') return error;
  const detail = (error as { detail?: string }).detail ?? String(error);
  return new BackupError(`The tables cannot be emptied, because others depend on them: ${detail} Restore into another database.`, {
    cause: error,
  });
}
