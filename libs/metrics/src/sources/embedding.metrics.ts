import { EmbedderRegistry, type EmbedderActivity, type EmbedderLane } from '#embeddings';
import { Injectable } from '@nestjs/common';
import { MetricsRegistry } from '../metrics-registry.js';

const LANES = { query: 'queries', document: 'documents' } as const;
const CACHE_RESULTS = { hit: 'hits', joined: 'joined', miss: 'misses' } as const;

/** The models of this process. */
@Injectable()
export class EmbeddingMetrics {
  constructor(metrics: MetricsRegistry, embedders: EmbedderRegistry) {
    /** By name: a model that was released and built again goes on under the same. */
    const active = (): { readonly model: string; readonly activity: EmbedderActivity }[] => {
      const byModel = new Map<string, EmbedderActivity>();
      for (const embedder of embedders.list()) {
        const activity = embedder.activity();
        if (activity !== null) byModel.set(`${embedder.descriptor.model}:${embedder.descriptor.dtype}`, activity);
      }
      return [...byModel].map(([model, activity]) => ({ model, activity }));
    };
    const lanes = <T>(read: (lane: EmbedderLane) => T) =>
      active().flatMap(({ model, activity }) =>
        Object.entries(LANES).map(([lane, key]) => ({ labels: { model, lane }, read: read(activity[key]) })),
      );
    const counted = (read: (lane: EmbedderLane) => number) => () => lanes(read).map(({ labels, read: value }) => ({ labels, value }));
    metrics.durations('kindred_embedding_duration_seconds', 'One text in a thread, or one request to a service; waiting excluded', () =>
      lanes(({ runs }) => runs).map(({ labels, read: durations }) => ({ labels, durations })),
    );
    metrics.gauge(
      'kindred_embedding_queue_length',
      'Texts, or requests to a service, that wait for their turn',
      counted(({ waiting }) => waiting),
    );
    metrics.gauge(
      'kindred_embedding_running',
      'Texts, or requests to a service, that are under way',
      counted(({ running }) => running),
    );
    metrics.counter(
      'kindred_embedding_failures_total',
      'Texts, or requests to a service, that failed',
      counted(({ failed }) => failed),
    );
    metrics.counter('kindred_embedding_query_cache_total', 'Query texts by where their vector came from', () =>
      active().flatMap(({ model, activity }) =>
        Object.entries(CACHE_RESULTS).map(([result, key]) => ({ labels: { model, result }, value: activity.cache[key] })),
      ),
    );
    metrics.gauge('kindred_embedding_query_cache_entries', 'Query texts whose vector is remembered', () =>
      active().map(({ model, activity }) => ({ labels: { model }, value: activity.cache.size })),
    );
  }
}
