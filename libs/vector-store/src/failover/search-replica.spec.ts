import { FakeVectorStore, FixedClock } from '#testing';
import { SearchReplica } from './search-replica.js';

describe('SearchReplica', () => {
  const clock = new FixedClock();
  const replica = new SearchReplica(new FakeVectorStore(), 100, clock);

  it('answers for what is in step only', () => {
    expect(replica.canAnswer('c')).toBe(false);
    replica.setState('c', 'building');
    expect([replica.canAnswer('c'), replica.ageSeconds('c')]).toEqual([false, null]);
    replica.setInStep('c', { readAtMs: clock.monotonicMs(), oldestPendingMs: 0 });
    expect([replica.canAnswer('c'), replica.ageSeconds('c'), replica.canAnswer('other')]).toEqual([true, 0, false]);
    replica.setState('c', 'too-large');
    expect([replica.canAnswer('c'), replica.ageSeconds('c')]).toEqual([false, null]);
    expect(replica.status()).toEqual([{ collection: 'c', state: 'too-large', ageSeconds: null }]);
    replica.forget('c');
    expect(replica.status()).toEqual([]);
  });

  it('is as old as the oldest change that was missing, and all that may have come since', () => {
    replica.setInStep('c', { readAtMs: clock.monotonicMs(), oldestPendingMs: 4_000 });
    clock.advance(1_500);
    expect(replica.ageSeconds('c')).toBe(5.5);
    replica.setInStep('c', { readAtMs: clock.monotonicMs(), oldestPendingMs: 0 });
    expect(replica.ageSeconds('c')).toBe(0);
  });
});
