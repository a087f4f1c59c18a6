import { createTestDatabase, type TestDatabase } from '#testing';

describe('TypeOrmUnitOfWork', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterAll(async () => {
    await database.close();
  });

  it('gives rows and a count for every kind of statement', async () => {
    const inserted = await database.unitOfWork.query<{ id: string }>(`INSERT INTO projects (name, description) VALUES ('a', 'x'), ('b', 'y') RETURNING id`);
    expect(inserted.rowCount).toBe(2);
    expect(inserted.rows).toHaveLength(2);
    const updated = await database.unitOfWork.query(`UPDATE projects SET region = $1`, ['Nord']);
    expect(updated).toEqual({ rows: [], rowCount: 2 });
    const returned = await database.unitOfWork.query<{ name: string }>(`UPDATE projects SET region = 'Süd' WHERE name = 'a' RETURNING name`);
    expect(returned).toEqual({ rows: [{ name: 'a' }], rowCount: 1 });
    const deleted = await database.unitOfWork.query(`DELETE FROM projects WHERE name = 'b'`);
    expect(deleted).toEqual({ rows: [], rowCount: 1 });
    expect((await database.unitOfWork.query('SELECT name FROM projects')).rows).toEqual([{ name: 'a' }]);
  });
});
