import type { SyncStatus } from '#sync';
import type { SyncStatusReply } from './sync-status.schemas.js';

/** Says the same in the terms of the API. */
export function syncStatusReplyOf({ readAt, generations, relay }: SyncStatus): SyncStatusReply {
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
  };
}

function snakeCaseOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
