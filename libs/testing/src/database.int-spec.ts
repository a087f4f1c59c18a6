import pg from 'pg';
import { administer, createTestDatabase, newDatabaseName, runFolder } from '#testing';

describe('createTestDatabase', () => {
  it('gives every caller a migrated database of its own, and drops it', async () => {
    const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    await one.query(`INSERT INTO projects (name, description) VALUES ('a', 'b')`);
    expect((await one.relayUnitOfWork.query('SELECT name FROM projects')).rows).toEqual([{ name: 'a' }]);
    expect((await two.query('SELECT name FROM projects')).rows).toEqual([]);
    await one.close();
    await two.close();
    const name = new URL(one.url).pathname.slice(1);
    expect(await administer(one.adminUrl, `SELECT 1 FROM pg_database WHERE datname = '${name}'`)).toEqual([]);
  });

  it('names a connection that a spec file has left open, and still drops the database', async () => {
    const database = await createTestDatabase();
    const forgotten = new pg.Client({ connectionString: database.url, application_name: 'forgotten' });
    forgotten.on('error', () => undefined);
    await forgotten.connect();
    await forgotten.query('SELECT 1');
    await expect(database.close()).rejects.toThrow('left open: forgotten (idle: SELECT 1)');
    await forgotten.end().catch(() => undefined);
    const name = new URL(database.url).pathname.slice(1);
    expect(await administer(database.adminUrl, `SELECT 1 FROM pg_database WHERE datname = '${name}'`)).toEqual([]);
  });

  it('names databases so that runs do not meet', () => {
    expect(newDatabaseName(runFolder(), 'test')).not.toBe(newDatabaseName(runFolder(), 'test'));
  });
});
