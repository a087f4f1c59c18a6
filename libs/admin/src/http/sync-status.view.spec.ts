import type { SyncStatus } from '#sync';
import { FailoverCounters } from '#vector-store';
import { syncStatusReplyOf } from './sync-status.view.js';

const STATUS: SyncStatus = {
  readAt: new Date(0),
  generations: [],
  relay: {
    isRunning: false,
    counts: {} as SyncStatus['relay']['counts'],
    lag: { boundsMs: [], counts: [], sumMs: 0 },
    store: { phase: 'open', pausedForMs: 1.4, batchLimit: 1, upsertsPausedForMs: 0 },
    embedders: [],
    retryBudgets: [],
    inFlight: 0,
  },
};

describe('syncStatusReplyOf', () => {
  it('says what happened to searches, with the mean overlap', () => {
    const counters = new FailoverCounters();
    counters.searches.local = 2;
    counters.enter('open');
    counters.observeFailure('unavailable');
    counters.observeOverlap(1);
    counters.observeOverlap(0.5);
    const status = () => ({ breaker: 'open' as const, replicas: [{ collection: 'c', state: 'ready' as const, ageSeconds: 3 }] });
    expect(syncStatusReplyOf(STATUS, { counters, status }).search).toEqual({
      breaker: 'open',
      replicas: [{ collection: 'c', state: 'ready', age_seconds: 3 }],
      counters: {
        answered: { local: 2, qdrant: 0 },
        degraded: 0,
        unanswered: 0,
        breaker_transitions: { closed: 0, open: 1, 'half-open': 0 },
        primary_failures: { unavailable: 1 },
        shadow_searches: 0,
        overlap_at_10: 0.75,
      },
    });
  });

  it('knows no overlap before the first comparison', () => {
    const status = () => ({ breaker: 'closed' as const, replicas: [] });
    expect(syncStatusReplyOf(STATUS, { counters: new FailoverCounters(), status }).search.counters?.overlap_at_10).toBeNull();
  });
});
