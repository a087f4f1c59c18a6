import { DOCUMENT_ENTITIES } from '#documents';
import { createTestDatabase, type TestDatabase } from '#testing';

describe('entities of documents', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase({ entities: DOCUMENT_ENTITIES });
  });
  afterAll(() => database.close());

  it('describe the tables that the migrations make', async () => {
    const { upQueries } = await database.dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });
});
