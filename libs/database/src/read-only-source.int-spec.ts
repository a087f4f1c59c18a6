import { createTestDatabase, type TestDatabase } from '#testing';
import { quoteIdentifier, ReadOnlySource } from './read-only-source.js';

describe('ReadOnlySource', () => {
  let database: TestDatabase;
  let source: ReadOnlySource;

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await ReadOnlySource.open(database.url);
    await database.query('CREATE TABLE things (id integer)');
  });
  afterAll(async () => {
    await source.close();
    await database.close();
  });

  it('reads, and cannot write even where its role may', async () => {
    await expect(source.read((session) => session.query('SELECT * FROM things'))).resolves.toMatchObject({ rows: [] });
    const writes = ['INSERT INTO things VALUES (1)', 'DROP TABLE things', 'TRUNCATE things'];
    for (const sql of writes) {
      await expect(source.read((session) => session.query(sql))).rejects.toMatchObject({ code: '25006' });
    }
    await expect(database.query('SELECT * FROM things')).resolves.toMatchObject({ rows: [] });
  });

  it('says that nothing answers', async () => {
    await expect(ReadOnlySource.open('postgres://nobody@127.0.0.1:9/none')).rejects.toMatchObject({ code: 'database.unavailable' });
  });
});

describe('quoteIdentifier', () => {
  it('keeps a quote within the name', () => {
    expect(quoteIdentifier('a"; DROP TABLE b; --')).toBe('"a""; DROP TABLE b; --"');
  });
});
