import { INGESTION_ENTITIES } from '#ingestion';
import { createTestDatabase, type TestDatabase } from '#testing';

describe('entities of ingestion', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase({ entities: INGESTION_ENTITIES });
  });
  afterAll(() => database.close());

  it('describe pgvector_imports as the migrations make it', async () => {
    const { upQueries } = await database.dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query).filter((query) => query.includes('pgvector'))).toEqual([]);
  });
});
