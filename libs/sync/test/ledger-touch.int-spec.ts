import { LedgerTouch } from '../src/index.js';
import { idOf, SyncHarness } from './sync-harness.js';

describe('LedgerTouch', () => {
  let harness: SyncHarness;
  let touch: LedgerTouch;
  let wakes: number;

  beforeAll(async () => {
    harness = await SyncHarness.create();
    touch = new LedgerTouch(harness.database.unitOfWork, { wake: () => wakes++ });
  });
  afterAll(() => harness.close());
  beforeEach(async () => {
    await harness.clear();
    wakes = 0;
  });

  const fill = async (rows: number): Promise<void> => {
    for (let row = 1; row <= rows; row++) await harness.put(idOf(row), `text ${row}`);
    await harness.drain(harness.newRelay());
  };
  const revOf = async (row: number): Promise<number> => (await harness.point(idOf(row)))!.payload.rev;

  it('has every row written again, page by page, from cached vectors', async () => {
    await fill(5);
    const before = await Promise.all([1, 2, 3, 4, 5].map(revOf));
    const calls = harness.embedder.calls.documents;
    const pages: number[] = [];
    for (let after: string | null = null; ;) {
      const page = await touch.touch(harness.generation.id, after, 2);
      pages.push(page.touched);
      if (page.next === null) break;
      after = page.next;
    }
    expect([pages, wakes]).toEqual([[2, 2, 1], 3]);
    expect(await harness.entry(idOf(3))).toMatchObject({ state: 'pending', attempts: 0, in_doubt: true });
    await harness.drain(harness.newRelay());
    const after = await Promise.all([1, 2, 3, 4, 5].map(revOf));
    expect(after.every((rev, index) => rev > before[index]!)).toBe(true);
    expect(harness.embedder.calls.documents).toBe(calls);
  });

  it('revives what is dead, leaves tombstones alone, and may be asked again', async () => {
    await fill(3);
    await harness.database.query(`UPDATE index_ledger SET state = 'dead' WHERE source_id = $1`, [idOf(1)]);
    await harness.database.query(`DELETE FROM projects WHERE id = $1`, [idOf(2)]);
    await harness.newRelay().runOnce();
    expect(await harness.entry(idOf(2))).toMatchObject({ state: 'tombstone' });
    await expect(touch.touch(harness.generation.id, null, 10)).resolves.toEqual({ touched: 2, next: null });
    await expect(touch.touch(harness.generation.id, null, 10)).resolves.toEqual({ touched: 2, next: null });
    expect(await harness.entry(idOf(2))).toMatchObject({ state: 'tombstone' });
    await expect(touch.touch(harness.generation.id + 1, null, 10)).resolves.toEqual({ touched: 0, next: null });
  });

  it('waits for a writer that holds a row, and leaves none out', async () => {
    await fill(2);
    const writer = harness.database.dataSource.createQueryRunner();
    await writer.query('BEGIN');
    await writer.query(`UPDATE projects SET region = 'Nord' WHERE id = $1`, [idOf(1)]);
    const touching = touch.touch(harness.generation.id, null, 10);
    await harness.database.query(`SELECT pg_sleep(0.1)`);
    await writer.query('ROLLBACK');
    await writer.release();
    await expect(touching).resolves.toEqual({ touched: 2, next: null });
    expect(await harness.entry(idOf(1))).toMatchObject({ state: 'pending', in_doubt: true });
  });
});
