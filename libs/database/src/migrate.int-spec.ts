import { FatalStartupError } from '#kernel';
import { administer, createTestDatabase, databaseUrl, newDatabaseName, runFolder, type TestDatabase } from '#testing';
import type { DataSource } from 'typeorm';
import { createDataSource } from './data-source.js';
import { revertLastMigration, runMigrations } from './migrate.js';
import { MIGRATIONS } from './migrations/index.js';

describe('migrations', () => {
  let database: TestDatabase;
  let name: string;
  const sources: DataSource[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  beforeEach(async () => {
    name = newDatabaseName(runFolder(), 'empty');
    await administer(database.adminUrl, `CREATE DATABASE ${name}`);
  });

  afterEach(async () => {
    for (const source of sources.splice(0)) await source.destroy();
    await administer(database.adminUrl, `DROP DATABASE ${name}`);
  });

  afterAll(() => database.close());

  async function connect(): Promise<DataSource> {
    const source = createDataSource({ url: databaseUrl(database.adminUrl, name), applicationName: 'replica', poolSize: 1 });
    await source.initialize();
    sources.push(source);
    return source;
  }

  const ALL = MIGRATIONS.map((migration) => migration.name);

  /** What a migration can make, by kind and name. */
  async function objects(source: DataSource): Promise<string[]> {
    const rows = await source.query<{ name: string }[]>(`
      SELECT 'relation ' || relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace
      UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace ORDER BY 1`);
    // TypeORM's own table and its key stay.
    return rows.map((row) => row.name).filter((row) => !/migrations|PK_/.test(row));
  }

  it('run once, however many replicas start at the same time', async () => {
    const replicas = await Promise.all(Array.from({ length: 5 }, connect));
    const done = await Promise.all(replicas.map((source) => runMigrations(source)));
    expect(done.flat()).toEqual(ALL);
    expect(await replicas[0]!.query('SELECT name FROM migrations ORDER BY id')).toEqual(ALL.map((migration) => ({ name: migration })));
    expect(await runMigrations(replicas[1]!)).toEqual([]);
  });

  it('are all undone, one by one, without a trace, and can be run again', async () => {
    const source = await connect();
    const before = await objects(source);
    await runMigrations(source);
    expect(await objects(source)).not.toEqual(before);
    for (const left of [...ALL.keys()].reverse()) {
      await revertLastMigration(source);
      expect(await source.query('SELECT name FROM migrations')).toHaveLength(left);
    }
    expect(await objects(source)).toEqual(before);
    expect(await runMigrations(source)).toEqual(ALL);
  });

  it('leave nothing behind when one of them fails', async () => {
    const source = await connect();
    await source.query('CREATE TABLE embedding_cache (other int)');
    const before = await objects(source);
    await expect(runMigrations(source)).rejects.toMatchObject({ driverError: { code: '42P07' } });
    expect(await objects(source)).toEqual(before);
  });

  it('refuse a database that a newer release has migrated', async () => {
    const source = await connect();
    await runMigrations(source);
    await source.query(`INSERT INTO migrations (timestamp, name) VALUES (1999999999999, 'FromTheFuture1999999999999')`);
    const attempt = runMigrations(source);
    await expect(attempt).rejects.toBeInstanceOf(FatalStartupError);
    await expect(attempt).rejects.toThrow('FromTheFuture1999999999999');
  });

  it('hold no lock and change no setting of the session afterwards', async () => {
    const source = await connect();
    await runMigrations(source);
    expect(await source.query(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory'`)).toEqual([]);
    expect(await source.query(`SELECT current_setting('statement_timeout') AS timeout`)).toEqual([{ timeout: '0' }]);
  });
});
