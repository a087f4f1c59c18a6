import { SystemClock } from '#kernel';
import { waitFor } from '#testing';
import { DeadLetters, SyncStatistics } from '../src/index.js';
import { idOf, SyncHarness } from './sync-harness.js';

describe('DeadLetters', () => {
  let harness: SyncHarness;
  let letters: DeadLetters;
  let wakes: number;

  beforeAll(async () => {
    harness = await SyncHarness.create();
    letters = new DeadLetters(harness.database.unitOfWork, { wake: () => wakes++ });
  });
  afterAll(() => harness.close());
  beforeEach(async () => {
    await harness.clear();
    wakes = 0;
  });

  /** Rows 1 … n are dead with the error that their number gives. */
  async function kill(n: number, codeOf: (n: number) => string = () => 'x.one'): Promise<void> {
    for (let row = 1; row <= n; row++) await harness.put(idOf(row), `text ${row}`);
    const codes = Array.from({ length: n }, (_, index) => codeOf(index + 1));
    await harness.database.query(
      `UPDATE index_ledger l SET state = 'dead', attempts = 10, last_error = jsonb_build_object('code', d.code, 'message', 'why', 'at', '2030-01-01T00:00:00.000Z')
       FROM unnest($1::uuid[], $2::text[]) AS d (id, code) WHERE l.source_id = d.id`,
      [Array.from({ length: n }, (_, index) => idOf(index + 1)), codes],
    );
  }

  it('lists a dead entry with its reason, as the relay left it', async () => {
    harness.embedder.failWhen((text) => (text === 'poison' ? new Error('cannot be embedded') : null));
    await harness.put(idOf(1), 'poison');
    await harness.put(idOf(2), 'fine');
    await harness.newRelay({ maxAttempts: 1 }).runOnce();
    const { items, next } = await letters.list({ limit: 10 });
    expect(next).toBeNull();
    expect(items).toEqual([
      {
        generationId: harness.generation.id,
        source: 'projects',
        sourceId: idOf(1),
        version: Number((await harness.entry(idOf(1)))!.version),
        attempts: 1,
        error: { code: 'sync.unexpected', message: 'cannot be embedded', at: expect.stringMatching(/^\d{4}-.*Z$/) as string },
        changedAt: expect.any(Date) as Date,
        mute: null,
      },
    ]);
    await expect(letters.countByCode()).resolves.toEqual([
      { generationId: harness.generation.id, source: 'projects', code: 'sync.unexpected', count: 1 },
    ]);
  });

  it('pages by key, and filters by source, generation and code', async () => {
    await kill(7, (n) => (n % 2 === 0 ? 'x.even' : 'x.odd'));
    const seen: string[] = [];
    for (let after: string | undefined; ;) {
      const page = await letters.list({ limit: 3, after });
      expect(page.items.length).toBeLessThanOrEqual(3);
      seen.push(...page.items.map(({ sourceId }) => sourceId));
      if (page.next === null) break;
      after = page.next;
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7].map(idOf));
    expect((await letters.list({ limit: 7 })).next).toBeNull();
    const ids = async (query: object) => (await letters.list({ limit: 10, ...query })).items.map(({ sourceId }) => sourceId);
    await expect(ids({ code: 'x.even' })).resolves.toEqual([2, 4, 6].map(idOf));
    await expect(ids({ source: 'other' })).resolves.toEqual([]);
    await expect(ids({ generationId: harness.generation.id })).resolves.toHaveLength(7);
    await expect(ids({ generationId: harness.generation.id + 1 })).resolves.toEqual([]);
    await expect(letters.countByCode()).resolves.toMatchObject([
      { code: 'x.odd', count: 4 },
      { code: 'x.even', count: 3 },
    ]);
  });

  it.each(['', 'x', '1', '1.x', `x.${idOf(1)}`, `9999999999.${idOf(1)}`])('refuses the cursor %j', async (after) => {
    await expect(letters.list({ limit: 1, after })).rejects.toMatchObject({ code: 'request.invalid' });
  });

  it('requeues by id, by code and all, with a new version and nothing taken for granted, and wakes the relay', async () => {
    await kill(6, (n) => (n % 2 === 0 ? 'x.even' : 'x.odd'));
    const before = Number((await harness.entry(idOf(1)))!.version);
    await expect(letters.requeue({ ids: [idOf(1), idOf(99)] })).resolves.toEqual({ requeued: 1 });
    const entry = (await harness.entry(idOf(1)))!;
    expect(entry).toMatchObject({ state: 'pending', attempts: 0, in_doubt: true });
    expect(entry.due_in_ms).toBeLessThanOrEqual(0);
    expect(Number(entry.version)).toBeGreaterThan(before);
    expect(wakes).toBe(1);
    await expect(letters.requeue({ ids: [idOf(1)] })).resolves.toEqual({ requeued: 0 });
    expect(wakes).toBe(1);
    await expect(letters.requeue({ code: 'x.even', source: 'other' })).resolves.toEqual({ requeued: 0 });
    await expect(letters.requeue({ code: 'x.even' })).resolves.toEqual({ requeued: 3 });
    await expect(letters.requeue({ all: true, generationId: harness.generation.id })).resolves.toEqual({ requeued: 2 });
    await harness.drain(harness.newRelay());
    await expect(harness.store.count(harness.generation.collection)).resolves.toBe(6);
  });

  it('requeues more than a page, and waits for no writer', async () => {
    await harness.database.query(`INSERT INTO projects (name, description) SELECT 'n', 'text ' || n FROM generate_series(1, 1200) n`);
    await harness.database.query(
      `UPDATE index_ledger SET state = 'dead', last_error = '{"code":"x","message":"","at":"2030-01-01T00:00:00.000Z"}'`,
    );
    const writer = harness.database.dataSource.createQueryRunner();
    await writer.query('BEGIN');
    await writer.query(`UPDATE projects SET region = 'Nord' WHERE id IN (SELECT id FROM projects LIMIT 10)`);
    await expect(letters.requeue({ all: true })).resolves.toEqual({ requeued: 1190 });
    await writer.query('COMMIT');
    await writer.release();
    await waitFor(async () => (await letters.list({ limit: 1 })).items.length === 0, { what: 'no dead entry' });
  });

  it('knows nothing of retired generations', async () => {
    await kill(1);
    await harness.database.query(`UPDATE index_generations SET state = 'retired'`);
    try {
      await expect(letters.list({ limit: 1 })).resolves.toEqual({ items: [], next: null });
      await expect(letters.requeue({ all: true })).resolves.toEqual({ requeued: 0 });
    } finally {
      await harness.database.query(`UPDATE index_generations SET state = 'serving'`);
    }
  });

  describe('muted', () => {
    const statistics = async () =>
      (await new SyncStatistics(harness.database.unitOfWork, { status: () => null as never }, new SystemClock()).read()).generations[0]!;

    it('is out of every count, and listed with its reason', async () => {
      await kill(3);
      expect(await letters.mute([idOf(1), idOf(2), idOf(9)], 'seen')).toEqual({ muted: 2 });
      expect(await letters.countByCode()).toMatchObject([{ count: 1 }]);
      expect(await statistics()).toMatchObject({ entries: { dead: 1, synced: 0, pending: 0 }, deadByCode: { 'x.one': 1 }, muted: 2 });
      const { items } = await letters.list({ limit: 10 });
      expect(items.map(({ mute }) => mute?.reason ?? null)).toEqual(['seen', 'seen', null]);
      expect(await letters.mute([idOf(1)], 'seen again')).toEqual({ muted: 1 });
      expect((await letters.list({ limit: 1 })).items[0]!.mute!.reason).toBe('seen again');
    });

    it('counts again when its row has changed and it dies anew, when it is requeued and dies anew, and when it is unmuted', async () => {
      await kill(3);
      await letters.mute([idOf(1), idOf(2), idOf(3)], 'seen');
      expect(await statistics()).toMatchObject({ entries: { dead: 0 }, muted: 3 });
      const dieAgain = (row: number) => harness.database.query(`UPDATE index_ledger SET state = 'dead' WHERE source_id = $1`, [idOf(row)]);
      await harness.put(idOf(1), 'another text');
      await dieAgain(1);
      expect(await statistics()).toMatchObject({ entries: { dead: 1 }, muted: 2 });
      await letters.requeue({ ids: [idOf(2)] });
      await dieAgain(2);
      expect(await statistics()).toMatchObject({ entries: { dead: 2 }, muted: 1 });
      expect(await letters.unmute([idOf(3)])).toEqual({ unmuted: 1 });
      expect(await statistics()).toMatchObject({ entries: { dead: 3 }, muted: 0 });
    });
  });
});
