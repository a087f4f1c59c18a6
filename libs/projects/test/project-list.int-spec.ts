import { createTestDatabase, type TestDatabase } from '#testing';
import {
  ProjectsService,
  ProjectRepository,
  type Project,
  type ProjectCondition,
  type ProjectListQuery,
  type ProjectSortColumn,
} from '#projects';
import type { IndexDirectory } from '#sync';

type Query = Parameters<ProjectsService['list']>[0];

const QUERY: Query = { sort: { column: 'created_at', isDescending: true }, filter: [], externalId: null, limit: 7, cursor: null };

describe('project lists', () => {
  let database: TestDatabase;
  let service: ProjectsService;
  let all: Project[];

  beforeAll(async () => {
    database = await createTestDatabase();
    service = new ProjectsService(new ProjectRepository(database.unitOfWork), { wake: () => undefined } as unknown as IndexDirectory);
    // Few names, prices and times, so that most rows share theirs with others; every third row has no price.
    await database.query(`
      INSERT INTO projects (name, description, project_type, region, complexity, final_price, total_area_sqm, external_id, created_at, updated_at)
      SELECT (ARRAY['Abel', 'abel', 'Ähre', 'Zimmer', 'Küche "x"'])[1 + n % 5], 'd', (ARRAY['kitchen', 'stairs', NULL])[1 + n % 3], (ARRAY['Bavaria', 'Tyrol'])[1 + n % 2],
        NULLIF(n % 6, 0), CASE WHEN n % 3 = 0 THEN NULL ELSE (n % 4) * 1000.55 END, n, 'ext-' || n,
        timestamptz '2026-01-01' + (n % 9) * interval '1 microsecond', timestamptz '2026-01-01' - (n % 2) * interval '1 day'
      FROM generate_series(1, 60) AS n`);
    all = (await service.list({ ...QUERY, limit: 100 })).items;
    expect(all).toHaveLength(60);
  });
  afterAll(() => database.close());

  async function walk(query: Query): Promise<{ ids: string[]; pages: number }> {
    const ids: string[] = [];
    let cursor: string | null = null;
    for (let pages = 1; ; pages++) {
      const page: Awaited<ReturnType<ProjectsService['list']>> = await service.list({ ...query, cursor });
      expect(page.items.length).toBeLessThanOrEqual(query.limit);
      ids.push(...page.items.map(({ id }) => id));
      if (page.nextCursor === null) return { ids, pages };
      expect(page.items).toHaveLength(query.limit);
      cursor = page.nextCursor;
    }
  }

  const SORTS = (['created_at', 'updated_at', 'final_price', 'name'] as const).flatMap((column) =>
    [true, false].map((isDescending) => ({ column, isDescending })),
  );

  it.each(SORTS)(
    'walks every row once, in the order of PostgreSQL: $column, descending $isDescending',
    async ({ column, isDescending }) => {
      const direction = isDescending ? 'DESC' : 'ASC';
      const { rows } = await database.query<{ id: string }>(
        `SELECT id FROM projects ORDER BY ${column} ${direction} NULLS LAST, id ${direction}`,
      );
      for (const limit of [1, 7, 20, 60]) {
        const { ids, pages } = await walk({ ...QUERY, sort: { column, isDescending }, limit });
        expect(ids).toEqual(rows.map(({ id }) => id));
        expect(pages).toBe(Math.ceil(60 / limit));
      }
    },
  );

  const FILTERS: [ProjectCondition[], (project: Project) => boolean][] = [
    [[{ kind: 'any', field: 'region', values: ['Tyrol'] }], ({ region }) => region === 'Tyrol'],
    [[{ kind: 'any', field: 'project_type', values: ['kitchen', 'stairs'] }], (project) => project.project_type !== null],
    [[{ kind: 'any', field: 'wood_type', values: ["'; DROP TABLE projects; --"] }], () => false],
    [[{ kind: 'range', field: 'complexity', gte: 2, lte: 3 }], ({ complexity }) => complexity === 2 || complexity === 3],
    [[{ kind: 'range', field: 'final_price', gt: 1000.55, lt: 3001.65 }], ({ final_price: price }) => price === 2001.1],
    [[{ kind: 'range', field: 'total_area_sqm', gte: 59.5 }], (project) => project.total_area_sqm === 60],
    [
      [
        { kind: 'any', field: 'region', values: ['Tyrol', 'Bavaria'] },
        { kind: 'range', field: 'final_price', gte: 0 },
      ],
      (project) => project.final_price !== null,
    ],
  ];

  it.each(FILTERS)('keeps exactly the rows of %j, in every sort', async (filter, isWanted) => {
    const wanted = all
      .filter(isWanted)
      .map(({ id }) => id)
      .sort();
    for (const sort of SORTS) {
      const { ids } = await walk({ ...QUERY, sort, filter });
      expect([...ids].sort()).toEqual(wanted);
    }
  });

  it('finds the row of an external id', async () => {
    const { items, nextCursor } = await service.list({ ...QUERY, externalId: 'ext-7' });
    expect([items.map((project) => project.external_id), nextCursor]).toEqual([['ext-7'], null]);
  });

  it('neither repeats nor skips rows when others are written between two pages', async () => {
    const sort = { column: 'final_price', isDescending: true } as const;
    const first = await service.list({ ...QUERY, sort, limit: 30 });
    await database.query(`INSERT INTO projects (name, description, final_price) VALUES ('new', 'd', 999999)`);
    await database.query('DELETE FROM projects WHERE id = $1', [first.items[3]!.id]);
    const second = await service.list({ ...QUERY, sort, limit: 30, cursor: first.nextCursor });
    const seen = [...first.items, ...second.items].map(({ id }) => id);
    expect(new Set(seen).size).toBe(60);
    expect([...seen].sort()).toEqual(all.map(({ id }) => id).sort());
  });

  it('refuses a cursor of another query', async () => {
    const { nextCursor } = await service.list({ ...QUERY, sort: { column: 'name', isDescending: true } });
    await expect(service.list({ ...QUERY, cursor: nextCursor })).rejects.toMatchObject({
      code: 'request.invalid',
      fields: [{ pointer: '?cursor' }],
    });
  });

  describe('at 20,000 rows', () => {
    beforeAll(async () => {
      await database.query(`
        INSERT INTO projects (name, description, region, final_price, created_at, updated_at)
        SELECT 'Project ' || n, 'd', 'Bavaria', CASE WHEN n % 2 = 0 THEN n END, timestamptz '2025-01-01' + n * interval '1 second', timestamptz '2025-01-01' + n * interval '1 second'
        FROM generate_series(1, 20000) AS n`);
      await database.query('ANALYZE projects');
    });

    it.each(SORTS)(
      'a page deep in the list is read along an index: $column, descending $isDescending',
      async ({ column, isDescending }) => {
        const position = (
          await database.query<{ id: string; value: string }>(
            `SELECT id, ${textOf(column)} AS value FROM projects WHERE final_price IS NOT NULL ORDER BY ${column} LIMIT 1 OFFSET 5000`,
          )
        ).rows[0]!;
        const { plan, rows } = await explain({ ...QUERY, sort: { column, isDescending }, after: position, limit: 20 });
        expect(plan).not.toMatch(/Seq Scan/);
        // An index that is walked from its start, or a sort of everything, would read thousands.
        expect(rows).toBeLessThanOrEqual(2 * 21);
      },
    );

    async function explain(query: ProjectListQuery & { cursor?: string | null }): Promise<{ plan: string; rows: number }> {
      const { listStatementOf } = await import('../src/project-list.sql.js');
      const { sql, parameters } = listStatementOf(query, 'id, name, final_price');
      const { rows } = await database.query<Record<string, string>>(`EXPLAIN (ANALYZE, TIMING OFF) ${sql}`, parameters);
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      const scans = [...plan.matchAll(/Scan.*actual rows=([\d.]+)/g)].map((match) => Number(match[1]));
      return { plan, rows: scans.reduce((sum, count) => sum + count, 0) };
    }
  });
});

function textOf(column: ProjectSortColumn): string {
  return column === 'created_at' || column === 'updated_at'
    ? `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
    : `${column}::text`;
}
