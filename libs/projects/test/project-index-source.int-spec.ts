import { createTestDatabase, type TestDatabase } from '#testing';
import { IndexSourceRegistry } from '#sync';
import { ProjectIndexSource, ProjectRepository, ProjectsModule } from '#projects';

const IDS = ['00000000-0000-4000-8000-000000000001', '7fffffff-0000-4000-8000-000000000002', 'ffffffff-0000-4000-8000-000000000003'];

describe('ProjectIndexSource', () => {
  let database: TestDatabase;
  let source: ProjectIndexSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    source = new ProjectIndexSource(new ProjectRepository(database.unitOfWork));
    await database.query(
      `INSERT INTO projects (id, name, description, project_type, region, wood_type, complexity, final_price, total_area_sqm, external_id)
       VALUES ($1, 'Kitchen', 'Nice', 'kitchen', 'Bavaria', 'oak', 3, 15000.50, 25.5, 'secret'), ($2, 'Bare', 'No terms', NULL, NULL, NULL, NULL, NULL, NULL, NULL), ($3, 'Third', 'x', NULL, NULL, NULL, NULL, NULL, NULL, NULL)`,
      IDS,
    );
  });
  afterAll(() => database.close());

  it('gives text and exactly the fields that filters read', async () => {
    const documents = await database.unitOfWork.run(
      (session) => source.load([IDS[1]!, IDS[0]!, '00000000-0000-4000-8000-00000000ffff'], session),
      { isolation: 'REPEATABLE READ', isReadOnly: true },
    );
    expect(documents.sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
      {
        id: IDS[0],
        text: 'oak kitchen in Bavaria. Kitchen. Nice',
        payload: {
          project_type: 'kitchen',
          region: 'Bavaria',
          wood_type: 'oak',
          complexity: 3,
          final_price: 15000.5,
          total_area_sqm: 25.5,
        },
      },
      {
        id: IDS[1],
        text: 'Bare. No terms',
        payload: { project_type: null, region: null, wood_type: null, complexity: null, final_price: null, total_area_sqm: null },
      },
    ]);
  });

  it('has a payload index for every field of the payload', async () => {
    const [document] = await source.load([IDS[0]!], database.unitOfWork);
    expect(source.payloadIndexes.map(({ field }) => field).sort()).toEqual(Object.keys(document!.payload).sort());
  });

  it('lists ids in ascending order, in pages', async () => {
    await expect(source.listIds(null, 2, database.unitOfWork)).resolves.toEqual(IDS.slice(0, 2));
    await expect(source.listIds(IDS[1]!, 2, database.unitOfWork)).resolves.toEqual(IDS.slice(2));
    await expect(source.listIds(IDS[2]!, 2, database.unitOfWork)).resolves.toEqual([]);
  });

  it('does not change text or payload when another column changes', async () => {
    const before = await source.load([IDS[0]!], database.unitOfWork);
    await database.query(`UPDATE projects SET external_id = 'other', currency = 'CHF', completed_on = '2020-01-01' WHERE id = $1`, [
      IDS[0],
    ]);
    await expect(source.load([IDS[0]!], database.unitOfWork)).resolves.toEqual(before);
  });

  it('is registered when the module is made', () => {
    const registry = new IndexSourceRegistry();
    new ProjectsModule(registry, source);
    expect(registry.get('projects')).toBe(source);
  });
});
