import { createDataSource, findSchemaDrift } from '#database';
import { createTestDatabase, type TestDatabase } from '#testing';
import { ENTITIES } from '../src/api.module.js';

describe('entities and migrations', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterAll(() => database.close());

  async function drift() {
    const source = createDataSource({ url: database.url, applicationName: 'drift', poolSize: 1, entities: ENTITIES });
    await source.initialize();
    try {
      return await findSchemaDrift(source);
    } finally {
      await source.destroy();
    }
  }

  it('agree', async () => {
    expect(await drift()).toEqual({ up: [], down: [] });
  });

  it.each([
    'ALTER TABLE projects ADD COLUMN surprise text',
    'ALTER TABLE index_ledger ALTER COLUMN in_doubt DROP NOT NULL',
    'ALTER TABLE embedding_cache DROP COLUMN last_used_at',
    'ALTER TABLE index_generations ALTER COLUMN dimensions TYPE bigint',
  ])('are seen to differ after: %s', async (change) => {
    await database.query(change);
    expect((await drift()).up).not.toEqual([]);
  });
});
