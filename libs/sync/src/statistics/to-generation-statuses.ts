import type { LedgerGroup } from './read-ledger-statistics.js';
import { MAX_COUNTED_ATTEMPTS, type GenerationStatus } from './sync-status.js';

/** Adds up the groups of each generation, in the order in which the generations first appear. */
export function toGenerationStatuses(groups: readonly LedgerGroup[]): GenerationStatus[] {
  const byId = new Map<number, LedgerGroup[]>();
  for (const group of groups) {
    const known = byId.get(group.id);
    if (known === undefined) byId.set(group.id, [group]);
    else known.push(group);
  }
  return [...byId.values()].map(toStatus);
}

function toStatus(groups: readonly LedgerGroup[]): GenerationStatus {
  const { id, source, collection, state, pausedAt, pauseReason } = groups[0]!;
  const entries = { pending: 0, synced: 0, dead: 0, tombstone: 0 };
  const attempts = new Array<number>(MAX_COUNTED_ATTEMPTS + 1).fill(0);
  const deadByCode: Record<string, number> = {};
  let [oldest, leased, inDoubt, dueTombstones] = [Number.NEGATIVE_INFINITY, 0, 0, 0];
  for (const group of groups) {
    if (group.entryState === null) continue;
    entries[group.entryState] += group.count;
    leased += group.leased;
    inDoubt += group.inDoubt;
    if (group.entryState === 'pending') {
      attempts[group.attempts]! += group.count;
      oldest = Math.max(oldest, group.oldestAgeSeconds ?? 0);
    }
    if (group.entryState === 'tombstone') dueTombstones += group.due;
    if (group.code !== null) deadByCode[group.code] = (deadByCode[group.code] ?? 0) + group.count;
  }
  const { muted, total } = groups[0]!;
  entries.synced = total - entries.pending - entries.dead - entries.tombstone - muted;
  const oldestPendingAgeSeconds = entries.pending === 0 ? null : Math.max(0, oldest);
  return {
    id,
    source,
    collection,
    state,
    pausedAt,
    pauseReason,
    entries,
    oldestPendingAgeSeconds,
    attempts,
    deadByCode,
    muted,
    leased,
    inDoubt,
    dueTombstones,
  };
}
