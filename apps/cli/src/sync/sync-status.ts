import { renderTable } from '#kernel';
import { durationText, timeText } from '../output/words.js';

/** What the command line reads of `GET /api/v1/admin/sync/status`. */
export interface SyncStatus {
  readonly read_at: string;
  readonly generations: readonly {
    readonly id: number;
    readonly source: string;
    readonly collection: string;
    readonly state: string;
    readonly pause_reason: string | null;
    readonly entries: { readonly pending: number; readonly synced: number; readonly dead: number; readonly tombstone: number };
    readonly oldest_pending_age_seconds: number | null;
    readonly dead_by_code: Readonly<Record<string, number>>;
  }[];
  readonly relay: {
    readonly is_running: boolean;
    readonly store: { readonly phase: string; readonly paused_for_ms: number };
    readonly in_flight: number;
  };
  readonly search: { readonly breaker: string | null };
}

export type EntryCounts = SyncStatus['generations'][number]['entries'];

/** Entries of all generations, added up. */
export function totalsOf({ generations }: Pick<SyncStatus, 'generations'>): EntryCounts {
  const sum = (of: keyof EntryCounts): number => generations.reduce((total, { entries }) => total + entries[of], 0);
  return { pending: sum('pending'), synced: sum('synced'), dead: sum('dead'), tombstone: sum('tombstone') };
}

export function syncStatusText({ read_at, generations, relay, search }: SyncStatus): string {
  const table = renderTable(
    ['generation', 'source', 'state', 'synced', 'pending', 'dead', 'tombstones', 'oldest pending'],
    generations.map(({ id, source, state, entries, oldest_pending_age_seconds: oldest }) => [
      id,
      source,
      state,
      entries.synced,
      entries.pending,
      entries.dead,
      entries.tombstone,
      durationText(oldest),
    ]),
  );
  const notes = generations.flatMap(({ id, pause_reason, dead_by_code }) => [
    ...(pause_reason === null ? [] : [`Generation ${id} is paused: ${pause_reason}`]),
    ...Object.entries(dead_by_code).map(([code, count]) => `Generation ${id}: ${count} dead with ${code}`),
  ]);
  const searches =
    search.breaker === null || search.breaker === 'closed'
      ? []
      : ['The index does not answer; searches are answered by its copy, if there is one.'];
  return [table, '', ...notes, relayText(relay), ...searches, `As of ${timeText(read_at)}.`].join('\n');
}

/** What holds the relay up, or `null`. */
export function obstacleOf({ generations, relay }: SyncStatus): string | null {
  const paused = generations.find(({ pause_reason }) => pause_reason !== null);
  if (paused !== undefined) return `generation ${paused.id} is paused: ${paused.pause_reason}`;
  if (relay.store.phase === 'paused')
    return `the index does not answer; it is tried again in ${durationText(relay.store.paused_for_ms / 1000)}`;
  return relay.is_running ? null : 'no relay runs in the process that answers; a worker has to carry the changes';
}

function relayText(relay: SyncStatus['relay']): string {
  if (!relay.is_running) return 'No relay runs in this process.';
  const store = relay.store.phase === 'paused' ? `paused for ${durationText(relay.store.paused_for_ms / 1000)}` : relay.store.phase;
  return `The relay of this process runs; the index is ${store}.`;
}
