import { FixedClock, waitFor } from '#testing';
import { acknowledge } from '../src/ledger/acknowledge.js';
import { claimDue, type ClaimRequest } from '../src/ledger/claim.js';
import { addSecondGeneration } from './second-generation.js';
import { idOf, SyncHarness } from './sync-harness.js';

describe('IndexRelay: what is claimed', () => {
  let harness: SyncHarness;
  beforeAll(async () => {
    harness = await SyncHarness.create();
  });
  afterAll(() => harness.close());
  beforeEach(() => harness.clear());

  const claim = (overrides: Partial<ClaimRequest> = {}) =>
    claimDue(harness.database.relayUnitOfWork, {
      generationId: harness.generation.id,
      entries: 16,
      retries: 16,
      token: idOf(99),
      leaseMs: 60_000,
      ...overrides,
    });
  const insert = (count: number) =>
    harness.database.query(`INSERT INTO projects (name, description) SELECT 'n', 'text ' || n FROM generate_series(1, $1::int) n`, [count]);
  /** Gives that many entries, of those that are fresh, attempts and a state. */
  const age = (count: number, attempts: number, state = 'pending') =>
    harness.database.query(
      `UPDATE index_ledger SET attempts = $2, state = $3 WHERE source_id IN (SELECT source_id FROM index_ledger WHERE state = 'pending' AND attempts = 0 LIMIT $1)`,
      [count, attempts, state],
    );
  const kinds = (entries: Awaited<ReturnType<typeof claim>>) => ({
    fresh: entries.filter(({ state, attempts }) => state === 'pending' && attempts === 1).length,
    retried: entries.filter(({ state, attempts }) => state === 'pending' && attempts > 1).length,
    buried: entries.filter(({ state }) => state === 'tombstone').length,
  });

  it.each([
    ['paused', `UPDATE index_generations SET paused_at = now()`, `UPDATE index_generations SET paused_at = NULL`],
    ['retired', `UPDATE index_generations SET state = 'retired'`, `UPDATE index_generations SET state = 'serving'`],
  ])('takes nothing of a generation that is %s, whatever this process remembers of it', async (_name, begin, end) => {
    const relay = harness.newRelay();
    await harness.put(idOf(1), 'text');
    await harness.catalog.list();
    await harness.database.query(begin);
    try {
      await expect(relay.runOnce()).resolves.toMatchObject({ claimed: 0 });
      expect(await harness.entry(idOf(1))).toMatchObject({ attempts: 0, in_doubt: false, lease_token: null });
    } finally {
      await harness.database.query(end);
    }
    await expect(relay.runOnce()).resolves.toMatchObject({ synced: 1 });
  });

  it('fills the batch with new work, and leaves an eighth on top to retries and to tombstones', async () => {
    await insert(60);
    await age(20, 3);
    await age(20, 0, 'tombstone');
    expect(kinds(await claim())).toEqual({ fresh: 16, retried: 2, buried: 2 });
    expect(kinds(await claim())).toEqual({ fresh: 4, retried: 12, buried: 2 });
    expect(kinds(await claim())).toEqual({ fresh: 0, retried: 6, buried: 10 });
    expect(kinds(await claim())).toEqual({ fresh: 0, retried: 0, buried: 6 });
  });

  it('takes no more retries than it may, and one entry when it may take one', async () => {
    await insert(40);
    await age(20, 3);
    expect(kinds(await claim({ retries: 0 }))).toEqual({ fresh: 16, retried: 0, buried: 0 });
    expect(kinds(await claim({ retries: 5 }))).toEqual({ fresh: 4, retried: 5, buried: 0 });
    expect(kinds(await claim({ entries: 1 }))).toEqual({ fresh: 0, retried: 1, buried: 0 });
  });

  it('takes retries in the order of their attempts', async () => {
    await insert(6);
    for (const attempts of [5, 1, 3]) await age(2, attempts);
    expect((await claim({ entries: 4 })).map(({ attempts }) => attempts).sort()).toEqual([2, 2, 4, 4]);
  });

  it('counts entries whose lease had ended before somebody was done with them', async () => {
    await insert(3);
    await harness.newRelay().claim(2);
    await harness.expireLeases();
    const relay = harness.newRelay();
    await expect(relay.runOnce()).resolves.toMatchObject({ claimed: 3, synced: 3, leasesExpired: 2, retries: 2 });
    expect(relay.counters.leasesExpired).toBe(2);
    await harness.put(idOf(1), 'text');
    await expect(relay.runOnce()).resolves.toMatchObject({ claimed: 1, leasesExpired: 0, retries: 0 });
  });

  describe.each([
    ['no statistics', () => Promise.resolve()],
    ['statistics of when nothing was due', () => harness.database.query('ANALYZE index_ledger')],
    ['statistics', () => Promise.resolve()],
  ] as const)('with %s', (which, analyze) => {
    it('costs the same from a backlog of 20,000: keys and index order, no sort, no scan', async () => {
      await analyze();
      await insert(20_000);
      await age(5_000, 2);
      await age(5_000, 0, 'tombstone');
      if (which === 'statistics') await harness.database.query('ANALYZE index_ledger');
      const plans: string[] = [];
      const explaining = {
        query: async <Row>(sql: string, parameters?: readonly unknown[]) => {
          const { rows } = await harness.database.query<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, BUFFERS) ${sql}`, parameters);
          plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
          return { rows: [] as Row[], rowCount: 0 };
        },
      };
      const { id } = harness.generation;
      const token = idOf(98);
      const claimed = await claim({ entries: 64, retries: 64, token });
      expect(claimed).toHaveLength(80);
      await claimDue(explaining, { generationId: id, entries: 64, retries: 64, token: idOf(99), leaseMs: 60_000 });
      const outcomes = claimed.map(
        ({ sourceId, version: rev }) => ({ sourceId, rev, kind: 'deleted', textHash: null, payloadHash: null }) as const,
      );
      await acknowledge(explaining, id, token, outcomes, 0);
      for (const plan of plans) {
        expect(plan).not.toMatch(/Seq Scan on index_ledger|Sort Key/);
        // 80 entries, each found, locked, found again and written into some indexes.
        expect(Number(/Buffers: shared hit=(\d+)/.exec(plan)![1])).toBeLessThan(5_000);
      }
      expect(plans[0]).toMatch(/index_ledger_due_idx/);
      // With statistics that know of one entry only, nothing is too costly for the planner; the next ANALYZE ends that.
      if (which !== 'statistics of when nothing was due') expect(plans[1]).not.toMatch(/Rows Removed by Join Filter/);
    });
  });

  it('lets failing retries take a bounded share, and never holds up new work', async () => {
    const clock = new FixedClock();
    harness.embedder.failWhen((text) => (text.startsWith('text') ? new Error('no') : null));
    const relay = harness.newRelay({ batchSize: 16, maxAttempts: 1_000 }, { clock });
    await insert(200);
    await harness.drain(relay);
    expect(relay.counters.failed - relay.counters.failedRetries).toBe(200);
    for (let round = 0; round < 20; round++) {
      await harness.passTime();
      await relay.runOnce();
    }
    // Two batches at once, and then nothing more while no time passes and nothing succeeds.
    expect(relay.counters.failedRetries).toBe(32);
    await harness.put(idOf(1), 'new work');
    await relay.runOnce();
    expect(await harness.entry(idOf(1))).toMatchObject({ state: 'synced' });
    clock.advance(2_000);
    await relay.runOnce();
    expect(relay.counters.failedRetries).toBe(32 + 10);
    expect(relay.status().retryBudgets).toEqual([{ generationId: harness.generation.id, available: 0, capacity: 32, spent: 42 }]);
    // What succeeds is not bounded.
    harness.embedder.recover();
    await harness.passTime();
    clock.advance(1_000);
    await harness.drain(relay);
    expect(relay.counters.synced).toBe(201);
    expect(relay.counters.failedRetries).toBe(42);
  });

  it('does not let a generation that is being filled hold up the one that answers queries', async () => {
    const second = await addSecondGeneration(harness);
    const release = second.embedder.hold();
    const relay = harness.newRelay({ batchSize: 16 });
    try {
      await insert(300);
      relay.start();
      // Both rooms of the second generation are taken until its embedder goes on.
      await waitFor(() => second.embedder.calls.documentJobs === 2, { what: 'two batches of the second generation' });
      await harness.put(idOf(1), 'changed while the other one is filled');
      await expectSynced(idOf(1));
      const { rows } = await harness.database.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM index_ledger WHERE generation_id = $1 AND state = 'synced'`,
        [second.generation.id],
      );
      expect(rows[0]!.count).toBe(0);
    } finally {
      release();
      await relay.stop();
      await second.remove();
    }
  });

  async function expectSynced(id: string): Promise<void> {
    await waitFor(async () => (await harness.entry(id))!.state === 'synced', { what: `${id} to be synced` });
  }
});
