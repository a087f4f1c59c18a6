import { HealthMonitor } from '#health';
import { IndexRelay } from '#sync';
import { Injectable } from '@nestjs/common';
import { MetricsRegistry } from '../metrics-registry.js';

const MS_PER_SECOND = 1_000;

/** The relay of this process. */
@Injectable()
export class RelayMetrics {
  constructor(metrics: MetricsRegistry, relay: IndexRelay, health: HealthMonitor) {
    metrics.gauge('kindred_relay_running', 'Whether a relay runs in this process', () => (relay.status().isRunning ? 1 : 0));
    metrics.counter('kindred_relay_events_total', 'What the relay has done, by the names of RelayCounters', () =>
      Object.entries(relay.status().counts).map(([event, value]) => ({ labels: { event: snakeCaseOf(event) }, value })),
    );
    metrics.durations('kindred_sync_lag_seconds', 'From the change of a row to its recorded write', () => ({
      durations: relay.status().lag,
    }));
    metrics.gauge('kindred_relay_batches_in_flight', 'Batches that are under way', () => relay.status().inFlight);
    metrics.gauge(
      'kindred_relay_batch_limit',
      'Rows that the next batch may have; small after an outage',
      () => relay.status().store.batchLimit,
    );
    metrics.gauge(
      'kindred_relay_store_paused_seconds',
      'Until the relay calls the index again; 0 = it is not paused',
      () => relay.status().store.pausedForMs / MS_PER_SECOND,
    );
    metrics.gauge(
      'kindred_relay_upserts_paused_seconds',
      'For how long only deletes are sent, because the index has no room; 0 = they are not',
      () => relay.status().store.upsertsPausedForMs / MS_PER_SECOND,
    );
    metrics.gauge('kindred_relay_embedders_paused', 'Models that are paused', () => relay.status().embedders.length);
    metrics.gauge(
      'kindred_relay_seconds_without_progress',
      'Since something last came of a change, while changes wait; absent without a relay',
      () => (relay.status().isRunning ? health.snapshot().relay.secondsWithoutProgress : null),
    );
  }
}

function snakeCaseOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
