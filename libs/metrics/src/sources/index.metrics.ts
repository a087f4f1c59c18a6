import { HealthMonitor } from '#health';
import { SearchStore, StoreCalls, type SearchStoreStatus } from '#vector-store';
import { Injectable } from '@nestjs/common';
import { MetricsRegistry } from '../metrics-registry.js';

const BREAKER_STATES = ['closed', 'half-open', 'open'] as const;
const COPY_STATES = ['building', 'ready', 'too-large'] as const;
const BYTES_PER_COMPONENT = 4;

/** The vector index: what it is asked, whether it answers, what it holds, and what stands in for it. */
@Injectable()
export class IndexMetrics {
  constructor(metrics: MetricsRegistry, calls: StoreCalls, searches: SearchStore, health: HealthMonitor) {
    this.registerCalls(metrics, calls);
    this.registerContent(metrics, health);
    this.registerFallback(metrics, searches);
  }

  private registerCalls(metrics: MetricsRegistry, calls: StoreCalls): void {
    metrics.durations(
      'kindred_vector_store_call_duration_seconds',
      'Calls of the index by operation and by how they ended; their number is the _count',
      () => [...calls.entries()],
    );
    metrics.counter('kindred_vector_store_connection_failures_total', 'Calls that the index did not answer', () =>
      calls
        .entries()
        .filter(({ labels }) => labels.outcome === 'unavailable')
        .reduce((sum, { durations }) => sum + durations.counts.reduce((total, count) => total + count, 0), 0),
    );
  }

  private registerContent(metrics: MetricsRegistry, health: HealthMonitor): void {
    metrics.gauge('kindred_vector_store_up', 'Whether the index answered the last look; absent before the first one', () => {
      const { state } = health.snapshot().vectorStore;
      return state === 'unknown' ? null : state === 'down' ? 0 : 1;
    });
    const each = (read: (info: { readonly pointsCount: number; readonly dimensions: number }) => number) => () =>
      health.snapshot().collections.flatMap(({ source, info }) => (info === null ? [] : [{ labels: { source }, value: read(info) }]));
    metrics.gauge(
      'kindred_index_points',
      'Points of the collection that searches use',
      each(({ pointsCount }) => pointsCount),
    );
    metrics.gauge(
      'kindred_index_vector_bytes',
      'What the vectors of that collection take at least: points x dimensions x 4',
      each(({ pointsCount, dimensions }) => pointsCount * dimensions * BYTES_PER_COMPONENT),
    );
  }

  private registerFallback(metrics: MetricsRegistry, searches: SearchStore): void {
    const { counters } = searches;
    const copies = (): SearchStoreStatus['replicas'] => searches.status().replicas;
    metrics.gauge('kindred_vector_store_breaker_state', 'The state of the breaker before the index is 1, the others 0', () => {
      const { breaker } = searches.status();
      return breaker === null ? null : BREAKER_STATES.map((state) => ({ labels: { state }, value: state === breaker ? 1 : 0 }));
    });
    metrics.counter('kindred_vector_store_breaker_transitions_total', 'How often the breaker came into each state', () =>
      counters === null ? null : BREAKER_STATES.map((state) => ({ labels: { state }, value: counters.transitions[state] })),
    );
    metrics.counter(
      'kindred_fallback_searches_total',
      'Searches that the copy answered because the index did not',
      () => counters?.degraded ?? null,
    );
    metrics.counter(
      'kindred_fallback_unanswered_total',
      'Searches that neither index nor copy answered',
      () => counters?.unanswered ?? null,
    );
    metrics.counter('kindred_vector_store_search_failures_total', 'Searches that the index did not answer, by reason', () =>
      counters === null ? null : Object.entries(counters.primaryFailures).map(([reason, value]) => ({ labels: { reason }, value })),
    );
    metrics.gauge('kindred_fallback_copies', 'Copies of the index in this process, by state', () =>
      counters === null
        ? null
        : COPY_STATES.map((state) => ({ labels: { state }, value: copies().filter((copy) => copy.state === state).length })),
    );
    metrics.gauge('kindred_fallback_copy_age_seconds', 'How far behind the rows the oldest copy may be', () => {
      const ages = copies().flatMap(({ ageSeconds }) => (ageSeconds === null ? [] : [ageSeconds]));
      return ages.length === 0 ? null : Math.max(...ages);
    });
    metrics.mean(
      'kindred_fallback_overlap_at_10',
      'Of searches that ran on index and copy: the share of the ten best that both named',
      () => counters && { sum: counters.overlapSum, count: counters.overlapCount },
    );
    metrics.counter(
      'kindred_fallback_comparisons_missed_total',
      'Comparisons that failed or were left out',
      () => counters?.shadowsMissed ?? null,
    );
  }
}
