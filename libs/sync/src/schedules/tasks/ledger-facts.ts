import type { SyncStatus } from '../../statistics/sync-status.js';

/** The ledger by generation as JSON; without what only this process knows. */
export function ledgerFacts({ generations }: Pick<SyncStatus, 'generations'>): object {
  return {
    generations: generations.map((generation) => ({
      id: generation.id,
      source: generation.source,
      state: generation.state,
      paused: generation.pausedAt !== null,
      entries: generation.entries,
      oldest_pending_age_seconds: generation.oldestPendingAgeSeconds,
      attempts: generation.attempts,
      dead_by_code: generation.deadByCode,
      leased: generation.leased,
      in_doubt: generation.inDoubt,
      due_tombstones: generation.dueTombstones,
    })),
  };
}
