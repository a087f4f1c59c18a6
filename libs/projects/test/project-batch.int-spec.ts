import { createTestDatabase, type TestDatabase } from '#testing';
import { randomUUID } from 'node:crypto';
import { upsertProjects, type ProjectFields } from '#projects';

const FIELDS: ProjectFields = {
  name: 'Gate',
  description: 'Garden gate in larch',
  project_type: 'gate',
  region: null,
  wood_type: 'larch',
  total_area_sqm: 2.5,
  complexity: 2,
  final_price: 1200.07,
  currency: 'EUR',
  completed_on: '2024-02-29',
  external_id: null,
};

describe('upsertProjects', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    await database.query(
      `INSERT INTO index_generations (source, collection, model_rev, template_rev, dimensions, state, embedder) VALUES ('projects', 'c', 'm', 't', 3, 'serving', '{}')`,
    );
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    await database.query('TRUNCATE projects');
    await database.query('DELETE FROM index_ledger');
  });

  const write = (...rows: Partial<ProjectFields>[]) =>
    database.unitOfWork.run((session) =>
      upsertProjects(
        session,
        rows.map((fields) => ({ id: randomUUID(), fields: { ...FIELDS, ...fields } })),
      ),
    );
  const ledger = async () => (await database.query('SELECT source_id, version FROM index_ledger ORDER BY 1')).rows;

  it('inserts, replaces the whole row, and counts what it did', async () => {
    expect(await write({ external_id: 'a' }, { external_id: 'b' }, { external_id: null }, { external_id: null })).toEqual({
      inserted: 4,
      updated: 0,
      unchanged: 0,
    });
    expect(await write({ external_id: 'b', name: 'Door', final_price: null }, { external_id: 'a' }, { external_id: 'c' })).toEqual({
      inserted: 1,
      updated: 1,
      unchanged: 1,
    });
    const { rows } = await database.query(
      `SELECT external_id, name, final_price::text, total_area_sqm::text, completed_on::text, currency, version FROM projects WHERE external_id IS NOT NULL ORDER BY 1`,
    );
    const same = { total_area_sqm: '2.50', completed_on: '2024-02-29', currency: 'EUR' };
    expect(rows).toEqual([
      { external_id: 'a', name: 'Gate', final_price: '1200.07', version: 1, ...same },
      { external_id: 'b', name: 'Door', final_price: null, version: 2, ...same },
      { external_id: 'c', name: 'Gate', final_price: '1200.07', version: 1, ...same },
    ]);
    expect((await database.query('SELECT 1 FROM projects WHERE external_id IS NULL')).rowCount).toBe(2);
    expect(await write()).toEqual({ inserted: 0, updated: 0, unchanged: 0 });
  });

  it.each(Object.keys(FIELDS).filter((name) => name !== 'external_id'))('sees a change of %s alone', async (name) => {
    await write({ external_id: 'a' });
    const changed = { complexity: 3, total_area_sqm: 2.51, final_price: 1, currency: 'CHF', completed_on: '2024-03-01' }[name] ?? 'other';
    expect(await write({ external_id: 'a', [name]: changed })).toMatchObject({ updated: 1 });
    expect(await write({ external_id: 'a', [name]: changed })).toMatchObject({ unchanged: 1 });
  });

  it('does not touch an equal row: neither the row, nor its lock, nor the ledger', async () => {
    await write({ external_id: 'a' }, { external_id: 'b' });
    const look = async () => [
      (await database.query('SELECT xmin, xmax, ctid, version, updated_at FROM projects ORDER BY id')).rows,
      await ledger(),
    ];
    const before = await look();
    expect(await write({ external_id: 'b' }, { external_id: 'a' })).toEqual({ inserted: 0, updated: 0, unchanged: 2 });
    expect(await look()).toEqual(before);
  });

  it('enters into the ledger what was written, and nothing else', async () => {
    await write({ external_id: 'a' }, { external_id: 'b' });
    const before = await ledger();
    await write({ external_id: 'a' }, { external_id: 'b', name: 'Door' }, { external_id: 'c' });
    const after = await ledger();
    expect(after).toHaveLength(3);
    expect(after.filter((entry) => before.some((one) => JSON.stringify(one) === JSON.stringify(entry)))).toHaveLength(1);
  });

  it('lets two batches in opposite order pass each other', async () => {
    const ids = Array.from({ length: 300 }, (_, n) => `x${n}`);
    for (let round = 0; round < 5; round++) {
      const batch = (order: readonly string[], who: string) =>
        write(...order.map((external_id) => ({ external_id, name: `${who} ${round}` })));
      const outcomes = await Promise.allSettled([batch(ids, 'one'), batch([...ids].reverse(), 'two')]);
      expect(outcomes.map((outcome) => (outcome.status === 'rejected' ? String(outcome.reason) : 'done'))).toEqual(['done', 'done']);
    }
  });

  it('is undone with its transaction', async () => {
    const work = database.unitOfWork.run(async (session) => {
      await upsertProjects(session, [{ id: randomUUID(), fields: FIELDS }]);
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect((await database.query('SELECT 1 FROM projects')).rowCount).toBe(0);
  });
});
