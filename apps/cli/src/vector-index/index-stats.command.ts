import { renderTable } from '#kernel';
import { SubCommand } from 'nest-commander';
import type { GenerationReply } from '../commands/generation-text.js';
import { ServiceCommand, type ServiceOptions } from '../service/service-command.js';
import type { EntryCounts, SyncStatus } from '../sync/sync-status.js';
import type { IndexStatsReply } from './index-health.js';

interface GenerationStats {
  readonly id: number;
  readonly source: string;
  readonly state: string;
  readonly collection: string;
  readonly model: string;
  readonly dimensions: number;
  readonly distance_metric: 'Cosine';
  /** `null` = the collection does not exist. */
  readonly points: number | null;
  readonly entries: EntryCounts | null;
}

@SubCommand({ name: 'stats', description: 'Points, dimensions, metric and entries of every generation that is written to' })
export class IndexStatsCommand extends ServiceCommand {
  async run(_arguments: string[], options: ServiceOptions): Promise<void> {
    const client = this.clientOf(options);
    const [stats, { items }, status] = await Promise.all([
      client.read<IndexStatsReply>('index/stats'),
      client.read<{ items: GenerationReply[] }>('generations'),
      client.read<SyncStatus>('sync/status'),
    ]);
    const generations = items.map((generation) => statsOf(generation, stats, status));
    const { store, version, collections_count } = stats;
    this.show(options, { store_type: store, version, collections_count, generations }, () => {
      const index = store === 'local' ? 'The index in the process of the service' : `Qdrant ${version ?? ''}`.trim();
      return `${index}, ${collections_count} collections\n\n${tableOf(generations)}`;
    });
  }
}

function statsOf(
  { id, source, state, collection, model, embedder }: GenerationReply,
  stats: IndexStatsReply,
  status: SyncStatus,
): GenerationStats {
  const points = stats.collections.find(({ generation }) => generation === id)?.points_count ?? null;
  const entries = status.generations.find((one) => one.id === id)?.entries ?? null;
  return { id, source, state, collection, model, dimensions: embedder.dimensions, distance_metric: 'Cosine', points, entries };
}

function tableOf(generations: readonly GenerationStats[]): string {
  return renderTable(
    ['generation', 'source', 'state', 'points', 'synced', 'pending', 'dead', 'dimensions', 'metric', 'model', 'collection'],
    generations.map(({ id, source, state, points, entries, dimensions, distance_metric, model, collection }) => [
      id,
      source,
      state,
      points ?? '-',
      entries?.synced ?? '-',
      entries?.pending ?? '-',
      entries?.dead ?? '-',
      dimensions,
      distance_metric,
      model,
      collection,
    ]),
  );
}
