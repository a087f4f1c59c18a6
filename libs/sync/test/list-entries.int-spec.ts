import { createTestDatabase, type TestDatabase } from '#testing';
import { listEntries } from '../src/ledger/list-entries.js';

const idOf = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
const NIL = '00000000-0000-0000-0000-000000000000';
const MAX = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

describe('listEntries', () => {
  let database: TestDatabase;
  const generations: number[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    for (let n = 0; n < 3; n++) {
      const { rows } = await database.query<{ id: number }>(
        `INSERT INTO index_generations (source, collection, model_rev, template_rev, dimensions, state, embedder) VALUES ('s' || $1::text, 'c' || $1::text, 'm', 't', 4, 'serving', '{}') RETURNING id`,
        [n],
      );
      generations.push(rows[0]!.id);
    }
    // The middle one has the ids at both ends of the order, its neighbours too.
    for (const generation of generations) {
      await database.query(
        `INSERT INTO index_ledger (generation_id, source_id, version, state) SELECT $1, id, 1, 'pending' FROM unnest($2::uuid[]) AS ids (id)`,
        [generation, [NIL, MAX, ...Array.from({ length: 10 }, (_, n) => idOf(n))]],
      );
    }
  });
  afterAll(() => database.close());

  it.each([1, 3, 5, 12, 100])('pages by %d through one generation, both ends of the order included', async (limit) => {
    const found: string[] = [];
    for (let after: string | null = null; ;) {
      const page = await listEntries(database.unitOfWork, generations[1]!, after, limit);
      found.push(...page.map(({ sourceId }) => sourceId));
      if (page.length < limit) break;
      after = page.at(-1)!.sourceId;
    }
    expect(found).toEqual([NIL, ...Array.from({ length: 10 }, (_, n) => idOf(n)), MAX]);
  });

  it('does not sort the rest of the ledger for each page, also before the table is analysed', async () => {
    const large = generations[1]!;
    await database.query(
      `INSERT INTO index_ledger (generation_id, source_id, version, state) SELECT $1, md5(n::text)::uuid, 1, 'synced' FROM generate_series(1, 20000) n`,
      [large],
    );
    const statements: string[] = [];
    const session = {
      query: async (sql: string, parameters?: readonly unknown[]) => {
        const plan = await database.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${sql}`, parameters);
        statements.push(plan.rows.map((row) => row['QUERY PLAN']).join('\n'));
        return { rows: [], rowCount: 0 };
      },
    };
    await listEntries(session, large, idOf(0), 1_000);
    expect(statements[0]).toMatch(/Index Scan using index_ledger_pkey/);
    expect(statements[0]).not.toMatch(/Bitmap/);
  });
});
