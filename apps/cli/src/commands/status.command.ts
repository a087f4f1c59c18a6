import { renderTable } from '#kernel';
import { Command } from 'nest-commander';
import { durationText, timeText } from '../output/words.js';
import { ServiceCommand, type ServiceOptions } from '../service/service-command.js';

interface SyncStatus {
  readonly read_at: string;
  readonly generations: readonly {
    readonly id: number;
    readonly source: string;
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

@Command({ name: 'status', description: 'How far the index is' })
export class StatusCommand extends ServiceCommand {
  async run(_arguments: string[], options: ServiceOptions): Promise<void> {
    const status = await this.clientOf(options).read<SyncStatus>('sync/status');
    this.show(options, status, () => render(status));
  }
}

function render({ read_at, generations, relay, search }: SyncStatus): string {
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
  const store = relay.store.phase === 'paused' ? `paused for ${durationText(relay.store.paused_for_ms / 1000)}` : relay.store.phase;
  const line = relay.is_running ? `The relay of this process runs; the index is ${store}.` : 'No relay runs in this process.';
  const searches =
    search.breaker === null || search.breaker === 'closed'
      ? []
      : ['The index does not answer; searches are answered by its copy, if there is one.'];
  return [table, '', ...notes, line, ...searches, `As of ${timeText(read_at)}.`].join('\n');
}
