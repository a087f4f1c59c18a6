import { DomainError } from '#kernel';
import { createTestDatabase, waitFor, type TestDatabase } from '#testing';
import type { EventEmitter } from 'node:events';
import type { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { createDataSource } from './data-source.js';
import { TypeOrmUnitOfWork } from './typeorm-unit-of-work.js';

describe('TypeOrmUnitOfWork', () => {
  let database: TestDatabase;
  const sources: DataSource[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterEach(async () => {
    for (const source of sources.splice(0)) await source.destroy();
    await database.query('DELETE FROM projects');
  });

  afterAll(() => database.close());

  async function poolOf(
    size: number,
    settings: { connectTimeoutMs?: number; queryTimeoutMs?: number; statementTimeoutMs?: number } = {},
  ): Promise<TypeOrmUnitOfWork> {
    const source = createDataSource({ url: database.url, applicationName: 'small', poolSize: size, ...settings });
    await source.initialize();
    sources.push(source);
    return new TypeOrmUnitOfWork(() => source, settings);
  }

  const INSERT = `INSERT INTO projects (name, description) VALUES ($1, 'd')`;

  async function names(): Promise<string[]> {
    const { rows } = await database.query<{ name: string }>('SELECT name FROM projects ORDER BY name');
    return rows.map(({ name }) => name);
  }

  it('gives rows and a count for every kind of statement', async () => {
    const { query } = database;
    expect(await query(`INSERT INTO projects (name, description) VALUES ('a', 'x'), ('b', 'y')`)).toEqual({ rows: [], rowCount: 2 });
    expect(await query(`INSERT INTO projects (name, description) VALUES ('c', 'z') RETURNING name`)).toEqual({
      rows: [{ name: 'c' }],
      rowCount: 1,
    });
    expect(await query(`UPDATE projects SET region = $1`, ['Nord'])).toEqual({ rows: [], rowCount: 3 });
    expect(await query(`UPDATE projects SET region = 'Süd' WHERE name = 'a' RETURNING name`)).toEqual({
      rows: [{ name: 'a' }],
      rowCount: 1,
    });
    expect(await query(`DELETE FROM projects WHERE name = 'b'`)).toEqual({ rows: [], rowCount: 1 });
    expect(await query(`DELETE FROM projects WHERE name = 'c' RETURNING name`)).toEqual({ rows: [{ name: 'c' }], rowCount: 1 });
    expect(await query('SELECT name, region FROM projects')).toEqual({ rows: [{ name: 'a', region: 'Süd' }], rowCount: 1 });
    expect(await query('CREATE TABLE nothing ()')).toEqual({ rows: [], rowCount: 0 });
    await query('DROP TABLE nothing');
  });

  it('survives a connection that is lost while the pool lends it', async () => {
    const source = createDataSource({ url: database.url, applicationName: 'lent', poolSize: 1 });
    await source.initialize();
    sources.push(source);
    // As the driver hands it over, before anybody listens to it.
    const [client, release] = (await (source.driver as PostgresDriver).obtainMasterConnection()) as [EventEmitter, (error: Error) => void];
    try {
      expect(() => client.emit('error', new Error('terminating connection'))).not.toThrow();
    } finally {
      release(new Error('terminating connection'));
    }
    await expect(source.query('SELECT 1 AS one')).resolves.toEqual([{ one: 1 }]);
  });

  it('gives what a JavaScript number cannot hold as text', async () => {
    expect((await database.query(`SELECT 9007199254740993::int8 AS version, 0.10::numeric(10,2) AS price, 7::int4 AS count`)).rows).toEqual(
      [{ version: '9007199254740993', price: '0.10', count: 7 }],
    );
  });

  it('commits what resolves and gives the result', async () => {
    const result = await database.unitOfWork.run(async (session) => {
      await session.query(INSERT, ['a']);
      return (await session.query<{ n: number }>('SELECT count(*)::int AS n FROM projects')).rows[0]?.n;
    });
    expect(result).toBe(1);
    expect(await names()).toEqual(['a']);
  });

  it('rolls back what rejects, and rejects with the same error', async () => {
    const failure = new Error('changed my mind');
    const work = database.unitOfWork.run(async (session) => {
      await session.query(INSERT, ['a']);
      throw failure;
    });
    await expect(work).rejects.toBe(failure);
    expect(await names()).toEqual([]);
  });

  it('lets errors of the statement through as they are', async () => {
    await database.query(`INSERT INTO projects (name, description, external_id) VALUES ('a', 'd', 'taken')`);
    await expect(database.query(`INSERT INTO projects (name, description, external_id) VALUES ('b', 'd', 'taken')`)).rejects.toMatchObject({
      code: '23505',
      constraint: 'projects_external_id_key',
    });
  });

  it('does not report a commit that PostgreSQL turned into a rollback', async () => {
    const work = database.unitOfWork.run(async (session) => {
      await session.query(INSERT, ['a']);
      await session.query('SELECT 1 / 0').catch(() => undefined);
    });
    await expect(work).rejects.toThrow('rolled back');
    expect(await names()).toEqual([]);
  });

  it('reads one snapshot at REPEATABLE READ, and refuses writes when read only', async () => {
    const counts = await database.unitOfWork.run(
      async (session) => {
        const count = async () => (await session.query<{ n: number }>('SELECT count(*)::int AS n FROM projects')).rows[0]?.n;
        const before = await count();
        await database.query(INSERT, ['meanwhile']);
        return [before, await count()];
      },
      { isolation: 'REPEATABLE READ', isReadOnly: true },
    );
    expect(counts).toEqual([0, 0]);
    await expect(database.unitOfWork.run((session) => session.query(INSERT, ['x']), { isReadOnly: true })).rejects.toMatchObject({
      code: '25006',
    });
  });

  it('leaves nothing behind in a session: a pooler may give it to anybody next', async () => {
    const one = await poolOf(1);
    const state = `SELECT current_setting('statement_timeout') AS timeout, current_setting('transaction_isolation') AS isolation, current_setting('transaction_read_only') AS read_only`;
    const before = await one.query(state);
    await one.run((session) => session.query('SELECT 1'), { isolation: 'REPEATABLE READ', isReadOnly: true });
    await one.run(() => Promise.reject(new Error('x'))).catch(() => undefined);
    expect(await one.query(state)).toEqual(before);
    expect((await one.query('SELECT 1 FROM pg_prepared_statements')).rowCount).toBe(0);
  });

  it('ends a statement of a transaction that takes too long', async () => {
    const one = await poolOf(1, { statementTimeoutMs: 50 });
    await expect(one.run((session) => session.query('SELECT pg_sleep(30)'))).rejects.toMatchObject({
      code: 'database.busy',
      cause: { code: '57014' },
    });
    expect((await one.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('gives up on a server that does not answer, and does not hand its connection to the next caller', async () => {
    const one = await poolOf(1, { queryTimeoutMs: 200 });
    const [first] = (await one.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows;
    await expect(one.query('SELECT pg_sleep(5)')).rejects.toMatchObject({ code: 'database.unavailable' });
    const [second] = (await one.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows;
    expect(second?.pid).not.toBe(first?.pid);
    await database.query('SELECT pg_terminate_backend($1)', [first?.pid]);
  });

  it('says that the database is busy when no connection gets free in time', async () => {
    const one = await poolOf(1, { connectTimeoutMs: 100 });
    await one.run(async () => {
      await expect(one.query('SELECT 1')).rejects.toMatchObject({ code: 'database.busy' });
    });
    expect((await one.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('turns conflicts with other transactions into database.busy', async () => {
    await database.query(INSERT, ['a']);
    const work = database.unitOfWork.run(
      async (session) => {
        await session.query('SELECT 1 FROM projects');
        await database.query(`UPDATE projects SET name = 'b'`);
        await session.query(`UPDATE projects SET name = 'c'`);
      },
      { isolation: 'REPEATABLE READ' },
    );
    await expect(work).rejects.toMatchObject({ code: 'database.busy', cause: { code: '40001' } });
  });

  it('survives losing its connections: idle, in a statement, and between two statements of a transaction', async () => {
    const two = await poolOf(2);
    const kill = () =>
      database.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'small'`,
      );
    const running = two.query('SELECT pg_sleep(30)').catch((error: unknown) => error);
    await waitFor(
      async () =>
        (await database.query(`SELECT 1 FROM pg_stat_activity WHERE application_name = 'small' AND query LIKE '%pg_sleep%'`)).rowCount > 0,
      { what: 'the statement runs' },
    );
    await kill();
    expect(await running).toMatchObject({ code: 'database.unavailable' });
    const between = two.run(async (session) => {
      await session.query('SELECT 1');
      await kill();
      await session.query('SELECT 1');
    });
    await expect(between).rejects.toBeInstanceOf(DomainError);
    await two.query('SELECT 1');
    await kill();
    await waitFor(() => two.query('SELECT 1'), { what: 'the pool has recovered' });
  });

  it('refuses a session that is used after its transaction', async () => {
    const { session } = await database.unitOfWork.run(async (inner) => Promise.resolve({ session: inner }));
    await expect(session.query('SELECT 1')).rejects.toThrow('after its transaction had ended');
  });

  it('does not lose a connection to failures', async () => {
    const one = await poolOf(1, { connectTimeoutMs: 1_000 });
    for (let round = 0; round < 20; round += 1) {
      await one.query('SELECT nonsense').catch(() => undefined);
      await one.run((session) => session.query('SELECT nonsense')).catch(() => undefined);
      await one.run(() => Promise.reject(new Error('x'))).catch(() => undefined);
    }
    expect((await one.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('fails with the error of its source while there is none', async () => {
    const none = new TypeOrmUnitOfWork(() => {
      throw new DomainError('database.unavailable');
    });
    await expect(none.query('SELECT 1')).rejects.toMatchObject({ code: 'database.unavailable' });
    await expect(none.run(() => Promise.resolve(1))).rejects.toMatchObject({ code: 'database.unavailable' });
  });
});
