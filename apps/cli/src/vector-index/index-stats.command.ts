import { renderTable } from '#kernel';
import { SubCommand } from 'nest-commander';
import type { GenerationReply } from '../commands/generation-text.js';
import { ServiceCommand, type ServiceOptions } from '../service/service-command.js';
import type { EntryCounts, SyncStatus } from '../sync/sync-status.js';
import { INDEX_HEALTH_PATH, indexText, type IndexHealth } from './index-health.js';

interface GenerationStats {
  readonly id: number;
  readonly source: string;
  readonly state: string;
  readonly collection: string;
  readonly model: string;
  readonly dimensions: number;
  readonly distance_metric: 'Cosine';
  /** Known of those that serve; `null` = not known. */
  readonly points: number | null;
  readonly entries: EntryCounts | null;
}

@SubCommand({ name: 'stats', description: 'Points, dimensions, metric and entries of every generation that is written to' })
export class IndexStatsCommand extends ServiceCommand {
  async run(_arguments: string[], options: ServiceOptions): Promise<void> {
    const client = this.clientOf(options);
    const [health, { items }, status] = await Promise.all([
      client.health<IndexHealth>(INDEX_HEALTH_PATH),
      client.read<{ items: GenerationReply[] }>('generations'),
      client.read<SyncStatus>('sync/status'),
    ]);
    const generations = items.map((generation) => statsOf(generation, health, status));
    this.show(
      options,
      { store_type: health.store_type, status: health.status, generations },
      () => `${indexText(health)}\n\n${tableOf(generations)}`,
    );
  }
}

function statsOf(
  { id, source, state, collection, model, embedder }: GenerationReply,
  health: IndexHealth,
  status: SyncStatus,
): GenerationStats {
  const found = health.collections.find(({ name }) => name === collection);
  const entries = status.generations.find((one) => one.id === id)?.entries ?? null;
  const points = found?.stats?.total_points ?? null;
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
