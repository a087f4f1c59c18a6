import type { SqlSession } from '#database';
import { waitFor } from '#testing';
import { BacklogCounter } from './backlog-counter.js';

/** Double of the ledger: answers with what is pending when the statement begins, and only when the test lets it. */
class HeldCount {
  pending = 0;
  readonly held: ((fault?: Error) => void)[] = [];
  readonly generations: number[] = [];
  readonly session = {
    query: (_sql: string, [generationId]: [number]) => {
      const { pending } = this;
      this.generations.push(generationId);
      return new Promise((resolve, reject) => {
        this.held.push((fault) => (fault === undefined ? resolve({ rows: [{ pending }], rowCount: 1 }) : reject(fault)));
      });
    },
  } as unknown as SqlSession;
}

describe('BacklogCounter', () => {
  let ledger: HeldCount;
  let counter: BacklogCounter;
  beforeEach(() => {
    ledger = new HeldCount();
    counter = new BacklogCounter(ledger.session);
  });
  const begun = (count: number) => waitFor(() => ledger.held.length === count, { what: `${count} counts to have begun` });

  it('counts once for all who ask at the same time', async () => {
    ledger.pending = 3;
    const counts = Array.from({ length: 100 }, () => counter.count(1));
    await begun(1);
    ledger.held[0]!();
    expect(new Set(await Promise.all(counts))).toEqual(new Set([3]));
    expect(ledger.held).toHaveLength(1);
  });

  it('counts anew for whoever asks while a count runs: it has begun before their write', async () => {
    const early = counter.count(1);
    await begun(1);
    ledger.pending = 1;
    const late = [counter.count(1), counter.count(1)];
    ledger.held[0]!();
    await begun(2);
    ledger.held[1]!();
    expect([await early, ...(await Promise.all(late))]).toEqual([0, 1, 1]);
    expect(ledger.held).toHaveLength(2);
  });

  it('keeps generations apart, and a failure to those who met it', async () => {
    const failing = counter.count(1);
    const other = counter.count(2);
    await begun(2);
    const next = counter.count(1);
    ledger.held[0]!(new Error('down'));
    await expect(failing).rejects.toThrow('down');
    await begun(3);
    ledger.held[1]!();
    ledger.held[2]!();
    await expect(Promise.all([other, next])).resolves.toEqual([0, 0]);
    expect(ledger.generations).toEqual([1, 2, 1]);
  });
});
