import { Clock, SystemClock } from '#kernel';
import { waitFor } from '#testing';
import type { SqlSession } from '#database';
import { Logger } from '@nestjs/common';
import type { ConsistencyToken } from './consistency-token.js';
import { TokenWaiters, type TokenWaitersParts } from './token-waiters.js';

/** Far beyond any test: whoever waits this long is ended by something else. */
const LONG_MS = 60_000;
const idOf = (n: number) => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
const tokenOf = (n: number): ConsistencyToken => ({ source: 'projects', id: idOf(n), generationId: 1, version: 5 });

const HOUR_MS = 3_600_000;

/** Says what it is told to say, and how often it was asked. */
class SteppedClock extends Clock {
  nowMs = 0;
  reads = 0;

  now(): Date {
    return new Date(this.nowMs);
  }

  monotonicMs(): number {
    this.reads++;
    return this.nowMs;
  }
}

/** Double of the ledger: every row is pending until it is said to be written. */
class FakeLedger implements SqlSession {
  statements = 0;
  keys = 0;
  readonly written = new Set<string>();
  servingId = 1;
  fault: Error | null = null;
  hold: Promise<unknown> | null = null;

  async query<Row>(_sql: string, parameters: readonly unknown[] = []): Promise<{ rows: Row[]; rowCount: number }> {
    this.statements++;
    const [generations, ids] = parameters as [number[], string[]];
    this.keys += ids.length;
    const rows = ids.flatMap((id, index) =>
      generations[index] !== this.servingId
        ? []
        : [
            {
              generation_id: generations[index],
              source_id: id,
              state: this.written.has(id) ? 'synced' : 'pending',
              version: '5',
              indexed_version: null,
              in_doubt: true,
            },
          ],
    );
    await (this.hold ?? Promise.resolve());
    if (this.fault !== null) throw this.fault;
    return { rows: rows as Row[], rowCount: rows.length };
  }
}

describe('TokenWaiters', () => {
  let ledger: FakeLedger;
  let superseded: number;
  let warnings: jest.SpyInstance;
  const create = (parts: Partial<TokenWaitersParts> = {}) =>
    new TokenWaiters({ session: ledger, servingId: async () => 1, onSuperseded: () => superseded++, clock: new SystemClock(), ...parts });

  beforeEach(() => {
    ledger = new FakeLedger();
    superseded = 0;
    warnings = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  });
  afterEach(() => warnings.mockRestore());

  it('looks once and at once without patience', async () => {
    ledger.written.add(idOf(1));
    const waiters = create();
    await expect(waiters.wait(tokenOf(1), 0)).resolves.toEqual({ generationId: 1, state: 'reached' });
    await expect(waiters.wait(tokenOf(2), 0)).resolves.toEqual({ generationId: 1, state: 'behind' });
    expect([ledger.statements, waiters.count]).toEqual([2, 0]);
  });

  it('ends when the row is written, without being told', async () => {
    const waiters = create();
    const waiting = waiters.wait(tokenOf(1), LONG_MS);
    await waitFor(() => ledger.statements >= 3, { what: 'several looks' });
    ledger.written.add(idOf(1));
    await expect(waiting).resolves.toEqual({ generationId: 1, state: 'reached' });
    expect(waiters.count).toBe(0);
  });

  it('ends when the time is over, and says behind', async () => {
    const startedAtMs = performance.now();
    await expect(create().wait(tokenOf(1), 40)).resolves.toEqual({ generationId: 1, state: 'behind' });
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(39);
  });

  it('lets all who wait share their statements', async () => {
    const waiters = create();
    const count = 500;
    const waiting = Array.from({ length: count }, (_, n) => waiters.wait(tokenOf(n), LONG_MS));
    await waitFor(() => ledger.keys >= 10 * count, { what: 'ten looks at each' });
    // One after another each would have cost a statement per look. They come together, so the first looks take two statements.
    expect(ledger.statements).toBeLessThanOrEqual(30);
    waiters.close();
    await Promise.all(waiting);
  });

  it('looks less and less often', async () => {
    const waiters = create();
    const startedAtMs = performance.now();
    const waiting = waiters.wait(tokenOf(1), 700);
    await waiting;
    const elapsedMs = performance.now() - startedAtMs;
    // 1 + 5 up to the longest distance, then one per 64 ms, and the last look.
    expect(ledger.statements).toBeLessThanOrEqual(8 + elapsedMs / 64);
    expect(ledger.statements).toBeGreaterThan(5);
  });

  it('looks at once when the relay has recorded the row, also during a look that came too early', async () => {
    const clock = new SteppedClock();
    const waiters = create({ clock });
    const waiting = waiters.wait(tokenOf(1), LONG_MS);
    await waitFor(() => ledger.statements === 1, { what: 'the first look' });
    // From here on the next look is an hour away; the loop has gone to sleep until then once it has asked for the time.
    clock.nowMs = -HOUR_MS;
    const { reads } = clock;
    await waitFor(() => clock.reads > reads, { what: 'the loop to sleep' });
    let release = (): void => undefined;
    ledger.hold = new Promise<void>((resolve) => (release = resolve));
    waiters.notice(idOf(2));
    waiters.notice(idOf(1));
    await waitFor(() => ledger.statements === 2, { what: 'the look that comes too early' });
    expect(ledger.keys).toBe(2);
    ledger.written.add(idOf(1));
    waiters.notice(idOf(1));
    ledger.hold = null;
    release();
    await expect(waiting).resolves.toEqual({ generationId: 1, state: 'reached' });
    expect(ledger.statements).toBe(3);
  });

  it('lets nobody wait beyond the maximum, but looks', async () => {
    const waiters = create({ maximum: 2 });
    ledger.written.add(idOf(4));
    const waiting = [waiters.wait(tokenOf(1), LONG_MS), waiters.wait(tokenOf(2), LONG_MS)];
    await expect(waiters.wait(tokenOf(3), LONG_MS)).resolves.toEqual({ generationId: 1, state: 'behind' });
    await expect(waiters.wait(tokenOf(4), LONG_MS)).resolves.toEqual({ generationId: 1, state: 'reached' });
    waiters.close();
    await Promise.all(waiting);
  });

  it('takes nothing for true of a generation that does not serve', async () => {
    ledger.written.add(idOf(1));
    ledger.servingId = 2;
    let believed = 1;
    const waiters = create({ servingId: async () => believed, onSuperseded: () => void (believed = 2) });
    await expect(waiters.wait(tokenOf(1), LONG_MS)).resolves.toEqual({ generationId: 2, state: 'reached' });
  });

  it('says nothing while no generation serves', async () => {
    const waiters = create({ servingId: async () => null });
    await expect(waiters.wait(tokenOf(1), 5)).resolves.toEqual({ generationId: null, state: 'behind' });
    expect(ledger.statements).toBe(0);
  });

  it('goes on when the ledger cannot be read, with one message', async () => {
    ledger.fault = new Error('down');
    const waiting = create().wait(tokenOf(1), LONG_MS);
    await waitFor(() => ledger.statements >= 3, { what: 'looks that fail' });
    ledger.written.add(idOf(1));
    ledger.fault = null;
    await expect(waiting).resolves.toEqual({ generationId: 1, state: 'reached' });
    expect(warnings).toHaveBeenCalledTimes(1);
  });

  it('does not wait for a ledger that never answers', async () => {
    ledger.hold = new Promise(() => undefined);
    await expect(create().wait(tokenOf(1), 10)).resolves.toEqual({ generationId: null, state: 'behind' });
  });

  it('ends all waiting when it is closed, and lets nobody wait afterwards', async () => {
    const waiters = create();
    const waiting = waiters.wait(tokenOf(1), LONG_MS);
    await waitFor(() => ledger.statements >= 1, { what: 'the first look' });
    waiters.close();
    await expect(waiting).resolves.toEqual({ generationId: null, state: 'behind' });
    await expect(waiters.wait(tokenOf(1), LONG_MS)).resolves.toMatchObject({ state: 'behind' });
  });
});
