import { createTestDatabase, type TestDatabase } from '#testing';
import { createDataSource } from '../data-source.js';
import { revertLastMigration, runMigrations } from '../migrate.js';
import { MIGRATIONS } from './index.js';
import { KeywordSearch1790000000004 } from './0004-keyword-search.js';

describe('the words of projects', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.close());
  beforeEach(() => database.query('TRUNCATE projects'));

  /** Lexemes with their places and labels, as PostgreSQL writes them. */
  async function words(): Promise<Record<string, string>> {
    const { rows } = await database.query<{ name: string; search_text: string }>('SELECT name, search_text::text FROM projects');
    return Object.fromEntries(rows.map(({ name, search_text }) => [name, search_text]));
  }

  const insert = (name: string, description: string, type: string | null = null) =>
    database.query('INSERT INTO projects (name, description, project_type) VALUES ($1, $2, $3)', [name, description, type]);

  it('are in the language of the row: name and craft terms are labelled', async () => {
    await insert('Treppen', 'Eine Treppe, die aus Eichen ist', 'stairs');
    await insert('Doors', 'Two doors for the houses of a street', 'door');
    expect(await words()).toEqual({
      Treppen: `'eich':7 'stair':2B 'trepp':1A,4`,
      Doors: expect.stringMatching(/^'door':1A,2B,4 'hous':7 'street':10 'two':3$/),
    });
  });

  it('are those of German when the text does not show its language', async () => {
    await insert('Fenster', 'Häuser Straßen');
    expect((await words()).Fenster).toBe(`'fenst':1A 'haus':2 'strass':3`);
  });

  it('follow the row, whoever writes it, and nothing that a writer puts there stays', async () => {
    await insert('Door', 'of the oak');
    await database.query(`UPDATE projects SET description = 'of the larch'`);
    expect((await words()).Door).toBe(`'door':1A 'larch':4`);
    await database.query(`UPDATE projects SET search_text = 'nonsense', final_price = 5`);
    expect((await words()).Door).toBe(`'door':1A 'larch':4`);
    await database.unitOfWork.run(async (session) => {
      await session.query('SET LOCAL session_replication_role = replica');
      await session.query(`UPDATE projects SET name = 'Gate'`);
    });
    expect(await words()).toEqual({ Gate: `'gate':1A 'larch':4` });
  });

  it('never refuse a row for its length', async () => {
    await database.query(
      `INSERT INTO projects (name, description) SELECT 'long', string_agg('word' || n, ' ') FROM generate_series(1, 300000) n`,
    );
    expect((await words()).long).toContain(`'word9000'`);
  });

  it('are made for rows from before, which stay as they are for everybody else', async () => {
    const source = createDataSource({ url: database.url, applicationName: 'migration', poolSize: 1 });
    await source.initialize();
    try {
      const undone = MIGRATIONS.slice(MIGRATIONS.indexOf(KeywordSearch1790000000004));
      for (const _ of undone) await revertLastMigration(source);
      await database.query(
        `INSERT INTO index_generations (source, collection, model_rev, template_rev, dimensions, state, embedder) VALUES ('projects', 'c', 'm', 't', 3, 'serving', '{}')`,
      );
      await insert('Doors', 'Two doors for the house');
      await insert('Alt', 'Ein Haus aus der Zeit davor');
      const rows = () => database.query('SELECT id, version, updated_at FROM projects ORDER BY id');
      const entries = () => database.query('SELECT * FROM index_ledger ORDER BY source_id');
      const before = [(await rows()).rows, (await entries()).rows];
      expect(await runMigrations(source)).toHaveLength(undone.length);
      expect([(await rows()).rows, (await entries()).rows]).toEqual(before);
      expect(before[1]).toHaveLength(2);
      expect(Object.values(await words()).sort()).toEqual([expect.stringContaining(`'alt':1A`), expect.stringContaining(`'door':1A,3`)]);
    } finally {
      await source.destroy();
    }
  });
});
