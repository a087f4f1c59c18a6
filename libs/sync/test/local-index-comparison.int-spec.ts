import type { PointPayload, VectorPoint } from '#vector-store';
import { idOf, SyncHarness } from './sync-harness.js';

const ROWS = 250;

describe('LocalIndexComparison', () => {
  let harness: SyncHarness;
  beforeAll(async () => {
    harness = await SyncHarness.create();
  });
  afterAll(() => harness.close());
  beforeEach(async () => {
    await harness.clear();
    await harness.database.query(
      `INSERT INTO projects (id, name, description) SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'n', 'text ' || n FROM generate_series(1, ${ROWS}) n`,
    );
    await harness.drain(harness.newRelay());
    harness.embedder.resetCalls();
  });

  const collection = () => harness.generation.collection;
  const compare = () => harness.comparison.run(harness.generation);

  async function changed(n: number, payload: Partial<PointPayload>): Promise<VectorPoint> {
    const [point] = await harness.store.retrieve(collection(), [idOf(n)], { hasVectors: true });
    return { id: idOf(n), vector: point!.vector!, payload: { ...point!.payload, ...payload } as PointPayload };
  }

  /** The relay heals it without embedding, and then both sides agree. */
  async function expectHealed(): Promise<void> {
    await harness.drain(harness.newRelay());
    expect(harness.embedder.calls.documents).toBe(0);
    await expect(compare()).resolves.toMatchObject({ marked: 0, entered: 0 });
    const { rows } = await harness.database.query<{ id: string; description: string }>('SELECT id, description FROM projects');
    await expect(harness.store.count(collection())).resolves.toBe(rows.length);
    for (const { id, description } of rows) await expect(harness.indexedText(id, [description])).resolves.toBe(description);
  }

  it('finds nothing when nothing differs', async () => {
    await expect(compare()).resolves.toEqual({ compared: ROWS, marked: 0, entered: 0 });
  });

  it('heals an empty store', async () => {
    await harness.store.losePoints(
      collection(),
      Array.from({ length: ROWS }, (_, n) => idOf(n + 1)),
    );
    await expect(compare()).resolves.toEqual({ compared: ROWS, marked: ROWS, entered: 0 });
    await expectHealed();
  });

  it('heals an older store: points missing, stale, and of rows that are deleted and purged since', async () => {
    const old = await changed(3, {});
    const deleted = await changed(9, {});
    await harness.put(idOf(3), 'newer');
    await harness.remove(idOf(9));
    await harness.drain(harness.newRelay());
    await harness.passTime();
    await harness.drain(harness.newRelay());
    await expect(harness.entry(idOf(9))).resolves.toBeUndefined();
    harness.embedder.resetCalls();
    await harness.store.replacePoints(collection(), [old, deleted]);
    await harness.store.losePoints(collection(), [idOf(5)]);
    await expect(compare()).resolves.toMatchObject({ marked: 2, entered: 1 });
    await expectHealed();
    await expect(harness.point(idOf(9))).resolves.toBeUndefined();
  });

  it.each([
    ['rev', { rev: 1 }],
    ['text hash', { text_hash: 'f'.repeat(64) }],
    ['payload hash', { payload_hash: 'f'.repeat(64) }],
  ])('heals a damaged %s', async (_name, damage) => {
    await harness.store.replacePoints(collection(), [await changed(7, damage)]);
    await expect(compare()).resolves.toMatchObject({ marked: 1, entered: 0 });
    await expectHealed();
  });

  it('does not trust the bookkeeping of an entry that is pending when its point is gone', async () => {
    // Touched without a change of text, and not yet looked at by a relay: equal hashes would lead to a skip.
    await harness.database.query(`UPDATE projects SET name = 'touched' WHERE id = $1`, [idOf(4)]);
    await harness.store.losePoints(collection(), [idOf(4)]);
    await expect(compare()).resolves.toMatchObject({ marked: 1 });
    await expectHealed();
  });

  it('moves the versions above points of a later database, and writes over them', async () => {
    const ahead = 5_000_000_000;
    await harness.store.replacePoints(collection(), [await changed(2, { rev: ahead, text_hash: 'f'.repeat(64) })]);
    const orphan = idOf(60_000);
    const [other] = await harness.store.retrieve(collection(), [idOf(2)], { hasVectors: true });
    await harness.store.upsert(collection(), [{ id: orphan, vector: other!.vector!, payload: { ...other!.payload, rev: ahead + 7 } }]);
    await expect(compare()).resolves.toMatchObject({ marked: 1, entered: 1 });
    const { rows } = await harness.database.query<{ last_value: string }>('SELECT last_value FROM index_version_seq');
    expect(Number(rows[0]!.last_value)).toBeGreaterThan(ahead + 1_000_000);
    await expectHealed();
    await expect(harness.point(orphan)).resolves.toBeUndefined();
  });

  it('moves the versions also when nothing else differs', async () => {
    // The entry of a restored database agrees with its point, but the next row would get a version that is in use.
    await harness.database.query(`SELECT setval('index_version_seq', 1)`);
    await compare();
    const { rows } = await harness.database.query<{ last_value: string; highest: string }>(
      'SELECT last_value, (SELECT max(indexed_version) FROM index_ledger) AS highest FROM index_version_seq',
    );
    expect(Number(rows[0]!.last_value)).toBeGreaterThan(Number(rows[0]!.highest));
  });

  it('marks a tombstone whose point no fenced delete would remove', async () => {
    await harness.remove(idOf(8));
    const point = await changed(8, {});
    await harness.drain(harness.newRelay());
    await harness.store.replacePoints(collection(), [{ ...point, payload: { ...point.payload, rev: 9_000_000_000 } }]);
    await expect(compare()).resolves.toMatchObject({ marked: 1 });
    await expectHealed();
    await expect(harness.point(idOf(8))).resolves.toBeUndefined();
  });

  it('waits for a writer that has a suspect locked, and then marks it', async () => {
    await harness.store.losePoints(collection(), [idOf(1)]);
    const writer = harness.database.dataSource.createQueryRunner();
    await writer.query('BEGIN');
    await writer.query(`UPDATE projects SET name = 'touched' WHERE id = $1`, [idOf(1)]);
    const comparing = compare();
    await expect(Promise.race([comparing, new Promise((resolve) => setTimeout(() => resolve('waits'), 150))])).resolves.toBe('waits');
    await writer.query('COMMIT');
    await writer.release();
    await expect(comparing).resolves.toMatchObject({ marked: 1 });
    await expectHealed();
  });
});
