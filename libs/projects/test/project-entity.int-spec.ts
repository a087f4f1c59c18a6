import { PROJECT_ENTITIES } from '#projects';
import { createTestDatabase, type TestDatabase } from '#testing';

describe('ProjectEntity', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase({ entities: PROJECT_ENTITIES });
  });
  afterAll(() => database.close());

  it('describes the table that the migrations make', async () => {
    const { upQueries } = await database.dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('would notice a change of the table', async () => {
    await database.query('ALTER TABLE projects ALTER COLUMN region SET NOT NULL');
    const { upQueries } = await database.dataSource.driver.createSchemaBuilder().log();
    await database.query('ALTER TABLE projects ALTER COLUMN region DROP NOT NULL');
    expect(upQueries.map(({ query }) => query)).toEqual([expect.stringContaining('"region"')]);
  });
});
