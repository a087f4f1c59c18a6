import { FixedClock } from '#testing';
import type { RelayUnitOfWork } from '#database';
import { DeadLetters } from '../src/index.js';
import { SyncHarness } from './sync-harness.js';
import { watchStore } from './watched-store.js';

const BATCH = 64;
const BATCHES = 20;
const MAX_ATTEMPTS = 3;

/** T16: rows that cannot be embedded among good ones. */
describe('IndexRelay: poison', () => {
  let harness: SyncHarness;
  beforeAll(async () => {
    harness = await SyncHarness.create();
  });
  afterAll(() => harness.close());
  beforeEach(() => harness.clear());

  interface Work {
    good: number;
    /** Texts that were really embedded, those of calls that failed later included. */
    texts: number;
    calls: number;
    statements: number;
    writes: number;
  }

  /** Brings all good rows through, and says what that took. */
  async function sync(percent: number, clock = new FixedClock()) {
    const total = BATCH * BATCHES;
    // Spread as chance would have it, and the same each time: a fixed hash of the number.
    await harness.database.query(
      `INSERT INTO projects (name, description)
       SELECT 'n', CASE WHEN hashint4(n) & 1023 < $1::int * 1024 / 100 THEN 'poison ' ELSE 'text ' END || n FROM generate_series(1, $2::int) n`,
      [percent, total],
    );
    const { rows } = await harness.database.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM projects WHERE description LIKE 'text%'`,
    );
    const watched = watchStore(harness.store);
    let statements = 0;
    const relay = harness.newRelay(
      { batchSize: BATCH, maxAttempts: MAX_ATTEMPTS },
      // A clock that stands still earns no retries: all that happens is the first attempt of each entry.
      { store: watched.store, clock, unitOfWork: counting(harness.database.relayUnitOfWork, () => statements++) },
    );
    let passes = 0;
    while (relay.counters.synced < rows[0]!.count && passes++ < 100) await relay.runOnce();
    const work: Work = {
      good: rows[0]!.count,
      texts: harness.embedder.texts.length,
      calls: harness.embedder.calls.documentJobs,
      statements,
      writes: watched.calls.length,
    };
    return { relay, clock, work, bad: total - rows[0]!.count };
  }

  it.each([1, 10, 50])('%i %% of a backlog: all good rows are through with at most twice the work', async (percent) => {
    const normal = (await sync(0)).work;
    expect(normal).toMatchObject({ good: BATCH * BATCHES, texts: BATCH * BATCHES, calls: BATCHES, writes: BATCHES });
    await harness.clear();
    harness.embedder.failWhen((text) => (text.startsWith('poison') ? new Error('cannot be embedded') : null));
    const { relay, clock, work, bad } = await sync(percent);
    expect(bad / (BATCH * BATCHES)).toBeCloseTo(percent / 100, 1);
    expect(relay.counters.synced).toBe(work.good);
    expect(work.texts / work.good).toBeLessThanOrEqual(2);
    expect(work.statements).toBeLessThanOrEqual(2 * normal.statements);
    expect(work.writes).toBeLessThanOrEqual(2 * normal.writes);

    // The bad ones die after exactly their attempts, each with its reason, and none is tried more often than its back-off allows.
    const letters = new DeadLetters(harness.database.unitOfWork, relay);
    for (let round = 0; round < 500 && relay.counters.dead < bad; round++) {
      await harness.passTime();
      clock.advance(60_000);
      await relay.runOnce();
    }
    await expect(letters.countByCode()).resolves.toMatchObject([{ code: 'sync.unexpected', count: bad }]);
    expect(relay.counters.failed).toBe(bad * MAX_ATTEMPTS);
    const { items } = await letters.list({ limit: 10_000 });
    expect(items.every(({ attempts, error }) => attempts === MAX_ATTEMPTS && error.message === 'cannot be embedded')).toBe(true);
  });
});

/** Counts round trips: BEGIN and COMMIT are statements too. */
function counting(inner: RelayUnitOfWork, count: () => void): RelayUnitOfWork {
  return {
    query: (sql, parameters) => {
      count();
      return inner.query(sql, parameters);
    },
    run: (work, options) => {
      count();
      count();
      return inner.run((session) => {
        const query: typeof session.query = (sql, parameters) => {
          count();
          return session.query(sql, parameters);
        };
        return work({ query });
      }, options);
    },
  };
}
