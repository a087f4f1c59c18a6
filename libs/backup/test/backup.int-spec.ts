import { CopyConnection, migrationNames, type SqlSession } from '#database';
import { createTestDatabase, type TestDatabase } from '#testing';
import { SystemIdGenerator } from '#kernel';
import { BackupRestorer, BackupWriter, readManifest, restoreDrill, SCRATCH_PREFIX, type DrillParts, type RestoredBackup } from '#backup';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { KINDRED_TABLES, listTables } from '../src/list-tables.js';

const ROWS = 10_000;
const DRILL: DrillParts = { reapplyErasures: async () => 0 };
const NASTY = 'line\nbreak\r\ttab \\ backslash \\N \\. "quote" ünïcödé 😀 \u0001';

describe('backup and restore', () => {
  let source: TestDatabase;
  let folder: string;
  let whole: string;
  const open: CopyConnection[] = [];

  beforeAll(async () => {
    source = await createTestDatabase();
    folder = mkdtempSync(join(tmpdir(), 'kindred-backup-'));
    await fill(source);
    whole = join(folder, 'whole');
    await backUp(source, whole);
  }, 120_000);
  afterAll(async () => {
    await Promise.all(open.map((one) => one.close()));
    await source.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function connect(database: TestDatabase): Promise<CopyConnection> {
    const connection = await CopyConnection.open(database.url, 'kindred-test-backup');
    open.push(connection);
    return connection;
  }

  async function backUp(database: TestDatabase, to: string) {
    const connection = await connect(database);
    const readErasureLog = async () => [{ id: 'one' }];
    return new BackupWriter({ connection, ids: new SystemIdGenerator(), kindredVersion: '0.0.0', readErasureLog }).write(to);
  }

  async function restore(into: TestDatabase, from: string, isForced = false): Promise<RestoredBackup> {
    const connection = await connect(into);
    return new BackupRestorer({ connection, reapplyErasures: async () => 0, record: async () => undefined }).restore(from, { isForced });
  }

  /** Every row of a table as text, in no order that matters. */
  const textOf = async ({ query }: TestDatabase, table: string): Promise<string[]> =>
    (await query<{ row: string }>(`SELECT t::text AS row FROM ${table} t`)).rows.map(({ row }) => row).sort();

  async function target<T>(work: (database: TestDatabase) => Promise<T>): Promise<T> {
    const database = await createTestDatabase();
    try {
      return await work(database);
    } finally {
      await Promise.all(open.splice(0).map((one) => one.close()));
      await database.close();
    }
  }

  it('says in the manifest what is in it, in files that only their owner may read', async () => {
    const manifest = await readManifest(whole);
    expect(manifest).toMatchObject({
      format_version: 1,
      migrations: migrationNames(),
      index: { mode: 'rebuild-from-cache' },
      erasure_log: [{ id: 'one' }],
      generations: [{ id: 1, source: 'projects', state: 'serving' }],
    });
    expect(manifest.tables.find(({ name }) => name === 'projects')).toMatchObject({ rows: ROWS });
    expect(manifest.tables.map(({ name }) => name)).not.toContain('sync_leases');
    for (const name of readdirSync(whole)) expect(statSync(join(whole, name)).mode & 0o777).toBe(0o600);
    expect(statSync(whole).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(whole, 'manifest.json'), 'utf8')).not.toContain('ünïcödé');
  });

  it('is registered where it lies', async () => {
    const { rows } = await source.query<{ location: string; rows: string }>(
      'SELECT location, rows FROM backups WHERE finished_at IS NOT NULL',
    );
    expect(rows).toEqual([{ location: expect.stringMatching(/:.*\/whole$/), rows: expect.any(String) }]);
  });

  it('restores every row of every type, and the ledger as it was', async () => {
    await target(async (database) => {
      const restored = await restore(database, whole);
      expect(restored).toMatchObject({ skipped: [], erasedAgain: 0, generations: [1] });
      for (const table of ['projects', 'collections', 'documents', 'chunks', 'embedding_cache', 'index_ledger', 'kindred_identity'])
        expect(await textOf(database, table)).toEqual(await textOf(source, table));
      const { rows } = await database.query(
        `SELECT name, description, final_price::text, region FROM projects WHERE external_id = 'nasty'`,
      );
      expect(rows).toEqual([{ name: NASTY, description: NASTY, final_price: '0.10', region: null }]);
    });
  }, 60_000);

  it('leaves triggers as they were: a new row is captured once, and always', async () => {
    await target(async (database) => {
      await restore(database, whole);
      const modes = `SELECT tgrelid::regclass::text AS table, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2`;
      expect((await database.query(modes)).rows).toEqual((await source.query(modes)).rows);
      const before = (await textOf(database, 'index_ledger')).length;
      await database.query(`INSERT INTO projects (name, description) VALUES ('new', 'row')`);
      expect((await textOf(database, 'index_ledger')).length).toBe(before + 1);
    });
  }, 60_000);

  it('gives out no version twice, and holds the relays until the index was compared', async () => {
    await target(async (database) => {
      const last = `SELECT last_value FROM index_version_seq`;
      await restore(database, whole);
      expect(Number((await database.query<{ last_value: string }>(last)).rows[0]!.last_value)).toBeGreaterThanOrEqual(ROWS);
      const generation = `SELECT epoch, paused_at IS NOT NULL AS is_paused FROM index_generations`;
      const [was, is] = [(await source.query(generation)).rows[0]!, (await database.query(generation)).rows[0]!];
      expect(is).toMatchObject({ is_paused: true });
      expect(is['epoch']).not.toBe(was['epoch']);
    });
  }, 60_000);

  it('refuses a database that holds rows, unless it is told to replace them', async () => {
    await target(async (database) => {
      await database.query(`INSERT INTO projects (name, description) VALUES ('mine', 'not in the backup')`);
      await expect(restore(database, whole)).rejects.toThrow(/not empty: projects hold rows/);
      expect(await textOf(database, 'projects')).toHaveLength(1);
      await restore(database, whole, true);
      expect(await textOf(database, 'projects')).toEqual(await textOf(source, 'projects'));
    });
  }, 60_000);

  it('refuses while a service is connected', async () => {
    await target(async (database) => {
      const service = await CopyConnection.open(database.url, 'kindred');
      await service.session.query('SELECT 1');
      await expect(restore(database, whole)).rejects.toThrow('The service uses this database');
      await service.close();
      await restore(database, whole);
    });
  }, 60_000);

  it('finds a flipped byte, a short file and a missing one before it touches anything', async () => {
    const damaged = join(folder, 'damaged');
    cpSync(whole, damaged, { recursive: true });
    const files = readdirSync(damaged).filter((name) => name.includes('projects') || name.includes('chunks') || name.includes('documents'));
    const [flipped, short, gone] = files as [string, string, string];
    const bytes = readFileSync(join(damaged, flipped));
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(join(damaged, flipped), bytes);
    writeFileSync(join(damaged, short), readFileSync(join(damaged, short)).subarray(0, -1));
    rmSync(join(damaged, gone));
    await target(async (database) => {
      await database.query(`INSERT INTO projects (name, description) VALUES ('mine', 'stays')`);
      const refused = await restore(database, damaged, true).catch((error: Error) => error.message);
      expect(refused).toContain(`${flipped} has another checksum`);
      expect(refused).toMatch(new RegExp(`${short} has \\d+ bytes, not \\d+`));
      expect(refused).toContain(`${gone} cannot be read`);
      expect(await textOf(database, 'projects')).toHaveLength(1);
    });
  }, 60_000);

  it('is taken back as a whole when it fails in the middle', async () => {
    await target(async (database) => {
      await database.query(`INSERT INTO projects (name, description) VALUES ('mine', 'stays')`);
      const before = await Promise.all(
        ['projects', 'index_ledger', 'kindred_identity', 'migrations'].map((table) => textOf(database, table)),
      );
      const connection = await connect(database);
      const record = () => Promise.reject(new Error('at the very end'));
      const failing = new BackupRestorer({ connection, reapplyErasures: async () => 0, record });
      await expect(failing.restore(whole, { isForced: true })).rejects.toThrow('at the very end');
      const after = await Promise.all(
        ['projects', 'index_ledger', 'kindred_identity', 'migrations'].map((table) => textOf(database, table)),
      );
      expect(after).toEqual(before);
    });
  }, 60_000);

  it('takes no folder that is not empty, and none without a manifest for a backup', async () => {
    const used = join(folder, 'used');
    mkdirSync(used);
    writeFileSync(join(used, 'notes.txt'), 'mine');
    await expect(backUp(source, used)).rejects.toThrow('is not empty');
    expect(readdirSync(used)).toEqual(['notes.txt']);
    const unfinished = join(folder, 'unfinished');
    cpSync(whole, unfinished, { recursive: true });
    rmSync(join(unfinished, 'manifest.json'));
    await expect(readManifest(unfinished)).rejects.toThrow('holds no whole backup');
    writeFileSync(join(unfinished, 'manifest.json'), '{"format_version": 2}');
    await expect(readManifest(unfinished)).rejects.toThrow('has the format 2');
    writeFileSync(join(unfinished, 'manifest.json'), '{"format_version": 1}');
    await expect(readManifest(unfinished)).rejects.toThrow('is damaged');
  });

  it('removes its files, and its entry in the register, when it fails', async () => {
    const failed = join(folder, 'failed');
    const connection = await connect(source);
    const readErasureLog = () => Promise.reject(new Error('no log'));
    const writer = new BackupWriter({ connection, ids: new SystemIdGenerator(), kindredVersion: '0.0.0', readErasureLog });
    await expect(writer.write(failed)).rejects.toThrow('no log');
    expect(existsSync(join(failed, 'manifest.json'))).toBe(false);
    expect(readdirSync(failed)).toEqual([]);
    expect((await source.query(`SELECT 1 FROM backups WHERE location LIKE '%/failed'`)).rows).toEqual([]);
  });

  it('lets one of two backups into a folder, and the other leaves it whole', async () => {
    const both = join(folder, 'both');
    const outcomes = await Promise.allSettled([backUp(source, both), backUp(source, both)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { name: 'BackupError' } });
    const manifest = await readManifest(both);
    expect(readdirSync(both).sort()).toEqual([...manifest.tables.map(({ file }) => file), 'manifest.json'].sort());
    expect((await restoreDrill(source.url, both, DRILL)).isPassed).toBe(true);
  }, 60_000);

  it('knows every table that the migrations make', async () => {
    const connection = await connect(source);
    expect((await listTables(connection.session)).map(({ name }) => name).sort()).toEqual([...KINDRED_TABLES].sort());
  });

  it('leaves tables of other programs alone, and they fail no drill', async () => {
    await target(async (database) => {
      await database.query('CREATE TABLE other_program (n int); INSERT INTO other_program VALUES (1)');
      const to = join(folder, 'foreign');
      await backUp(database, to);
      await database.query('INSERT INTO other_program VALUES (2)');
      expect(await restore(database, to, true)).toMatchObject({ skipped: ['other_program'] });
      expect(await textOf(database, 'other_program')).toEqual(['(1)', '(2)']);
      expect(await restoreDrill(database.url, to, DRILL)).toMatchObject({ isPassed: true, skipped: ['other_program'] });
    });
  }, 60_000);

  it('brings no withdrawn key back, and keeps the audit and the register of what happened after the backup', async () => {
    await target(async (database) => {
      await database.query(
        `INSERT INTO api_keys (key_id, name, digest, pepper_id, scopes)
         SELECT k, 'n', sha256('x'), 'p', '{admin}' FROM unnest(ARRAY['aaaaaaaaaaaa', 'bbbbbbbbbbbb', 'cccccccccccc']) k`,
      );
      const act = (phase: string, result: string | null) =>
        database.query(
          `INSERT INTO audit_entries (act_id, phase, channel, action, result) VALUES ('00000000-0000-4000-8000-000000000001', $1, 'cli', 'x', $2)`,
          [phase, result],
        );
      await act('begun', null);
      const to = join(folder, 'keys');
      await backUp(database, to);
      await database.query(`UPDATE api_keys SET revoked_at = now() WHERE key_id = 'aaaaaaaaaaaa'`);
      await database.query(`UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE key_id = 'bbbbbbbbbbbb'`);
      await act('ended', 'ok');
      await backUp(database, join(folder, 'keys-later'));
      const before = await textOf(database, 'api_keys');
      expect(await restore(database, to, true)).toMatchObject({ keysGood: 1, keysWithdrawn: 2, knewKeys: true });
      expect(await textOf(database, 'api_keys')).toEqual(before);
      expect((await database.query('SELECT phase, result FROM audit_entries ORDER BY audit_id')).rows).toEqual([
        { phase: 'begun', result: null },
        { phase: 'ended', result: 'ok' },
      ]);
      expect((await database.query(`SELECT 1 FROM backups WHERE location LIKE '%/keys-later' AND finished_at IS NOT NULL`)).rowCount).toBe(
        1,
      );
      await target(async (empty) => {
        expect(await restore(empty, to)).toMatchObject({ keysGood: 3, keysWithdrawn: 0, knewKeys: false });
      });
    });
  }, 60_000);

  it('is of one moment, whatever is written and truncated meanwhile', async () => {
    await target(async (database) => {
      await database.query(`INSERT INTO projects (name, description) SELECT 'p' || n, repeat('x', 500) FROM generate_series(1, 3000) n`);
      const connection = await connect(database);
      let truncation: Promise<unknown> = Promise.resolve();
      const writer = new BackupWriter({
        connection,
        ids: new SystemIdGenerator(),
        kindredVersion: '0.0.0',
        readErasureLog: async () => {
          await database.query(`INSERT INTO projects (name, description) VALUES ('later', 'than the snapshot')`);
          // Waits until the backup is through: a table that is emptied looks empty to every snapshot.
          truncation = database.query('TRUNCATE projects');
          return [];
        },
      });
      const { manifest } = await writer.write(join(folder, 'moment'));
      await truncation;
      expect(manifest.tables.find(({ name }) => name === 'projects')!.rows).toBe(3_000);
      expect(await textOf(database, 'projects')).toEqual([]);
    });
  }, 60_000);

  it('drills: into a database of its own, which is gone afterwards, and compares every row', async () => {
    const before = await textOf(source, 'projects');
    const report = await restoreDrill(source.url, whole, DRILL);
    expect(report).toMatchObject({ isPassed: true, database: expect.stringMatching(new RegExp(`^${SCRATCH_PREFIX}[0-9a-f]{12}$`)) });
    expect(report.tables.find(({ table }) => table === 'projects')).toEqual({
      table: 'projects',
      rowsInBackup: ROWS,
      rowsRestored: ROWS,
      isEqual: true,
    });
    expect(await textOf(source, 'projects')).toEqual(before);
    expect((await source.query(`SELECT datname FROM pg_database WHERE datname LIKE '${SCRATCH_PREFIX}%'`)).rows).toEqual([]);
  }, 60_000);

  it('drills an older backup through the migrations that came later, and the erasures', async () => {
    await target(async (database) => {
      const connection = await connect(database);
      await connection.replace((session) => session.migrateTo(migrationNames().slice(0, -1)));
      const to = join(folder, 'older');
      await backUp(database, to);
      const reapplyErasures = async (session: SqlSession, logged: readonly unknown[]) => {
        const { rows } = await session.query<{ count: number }>('SELECT count(*)::int AS count FROM migrations');
        return rows[0]!.count === migrationNames().length ? logged.length : -1;
      };
      const report = await restoreDrill(database.url, to, { reapplyErasures });
      expect(report).toMatchObject({ isPassed: true, migrations: migrationNames().slice(-1), erasedAgain: 1 });
    });
  }, 60_000);
});

/** 10,000 projects, documents with chunks, a cache, a ledger in all states. */
async function fill({ query }: TestDatabase): Promise<void> {
  await query(`INSERT INTO index_generations (source, collection, model_rev, template_rev, dimensions, state, embedder)
    VALUES ('projects', 'kindred_projects_g1_abcdef', 'm', 't', 3, 'serving', '{"provider": "local"}')`);
  await query(
    `INSERT INTO projects (name, description, project_type, total_area_sqm, complexity, final_price, completed_on, external_id)
     SELECT 'Project ' || n, $1 || n, CASE WHEN n % 3 = 0 THEN NULL ELSE 'kitchen' END, n / 7.0, 1 + n % 5, n * 1000.01, DATE '2020-01-01' + n % 900, 'p' || n
     FROM generate_series(1, $2::int) n`,
    [NASTY, ROWS - 1],
  );
  await query(`INSERT INTO projects (name, description, final_price, external_id) VALUES ($1, $1, 0.1, 'nasty')`, [NASTY]);
  await query(
    `UPDATE index_ledger SET state = 'synced', indexed_version = version, indexed_hash = sha256(source_id::text::bytea), lease_token = NULL WHERE version % 2 = 0`,
  );
  await query(
    `INSERT INTO embedding_cache (text_hash, vector) SELECT indexed_hash, decode('0a0d5c00ff', 'hex') FROM index_ledger WHERE indexed_hash IS NOT NULL`,
  );
  await query(`INSERT INTO collections (name, metadata_keys) VALUES ('faq', '{"a\\\\b": "keyword"}')`);
  await query(`INSERT INTO documents (collection_id, title, content, metadata) SELECT id, 'Title', $1, $2::jsonb FROM collections`, [
    NASTY,
    JSON.stringify({ text: NASTY }),
  ]);
  await query(
    `INSERT INTO chunks (id, document_id, collection_id, ordinal, start_offset, end_offset, context, text, text_hash, payload)
     SELECT gen_random_uuid(), id, collection_id, 0, 0, 3, $1, $1, '\\x00ff', '{}' FROM documents`,
    [NASTY],
  );
}
