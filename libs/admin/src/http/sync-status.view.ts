import type { SyncStatus } from '#sync';
import type { SearchStore } from '#vector-store';
import type { SyncStatusReply } from './sync-status.schemas.js';

/** Says the same in the terms of the API. */
export function syncStatusReplyOf(
  { readAt, generations, relay }: SyncStatus,
  searches: Pick<SearchStore, 'counters' | 'status'>,
): SyncStatusReply {
  return {
    read_at: readAt.toISOString(),
    generations: generations.map((generation) => ({
      id: generation.id,
      source: generation.source,
      collection: generation.collection,
      state: generation.state,
      paused_at: generation.pausedAt?.toISOString() ?? null,
      pause_reason: generation.pauseReason,
      entries: { ...generation.entries },
      oldest_pending_age_seconds: generation.oldestPendingAgeSeconds,
      attempts: [...generation.attempts],
      dead_by_code: { ...generation.deadByCode },
      muted: generation.muted,
      leased: generation.leased,
      in_doubt: generation.inDoubt,
      due_tombstones: generation.dueTombstones,
    })),
    relay: {
      is_running: relay.isRunning,
      counts: Object.fromEntries(Object.entries(relay.counts).map(([name, count]) => [snakeCaseOf(name), count])),
      lag: { bounds_ms: [...relay.lag.boundsMs], counts: [...relay.lag.counts], sum_ms: relay.lag.sumMs },
      store: {
        phase: relay.store.phase,
        paused_for_ms: Math.round(relay.store.pausedForMs),
        batch_limit: relay.store.batchLimit,
        upserts_paused_for_ms: Math.round(relay.store.upsertsPausedForMs),
      },
      embedders: relay.embedders.map(({ modelRev, pausedForMs }) => ({ model_rev: modelRev, paused_for_ms: Math.round(pausedForMs) })),
      retry_budgets: relay.retryBudgets.map(({ generationId, available, capacity, spent }) => ({
        generation: generationId,
        available,
        capacity,
        spent,
      })),
      in_flight: relay.inFlight,
    },
    search: searchStatusOf(searches),
  };
}

function searchStatusOf(searches: Pick<SearchStore, 'counters' | 'status'>): SyncStatusReply['search'] {
  const { breaker, replicas } = searches.status();
  const { counters } = searches;
  return {
    breaker,
    replicas: replicas.map(({ collection, state, ageSeconds }) => ({ collection, state, age_seconds: ageSeconds })),
    counters:
      counters === null
        ? null
        : {
            answered: { ...counters.searches },
            degraded: counters.degraded,
            unanswered: counters.unanswered,
            breaker_transitions: { ...counters.transitions },
            primary_failures: { ...counters.primaryFailures },
            shadow_searches: counters.shadowSearches,
            overlap_at_10: counters.overlapCount === 0 ? null : counters.overlapSum / counters.overlapCount,
          },
  };
}

function snakeCaseOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
