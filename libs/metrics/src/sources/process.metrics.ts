import { DataConfig } from '#config';
import { HealthMonitor } from '#health';
import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics } from 'prom-client';
import { statfs } from 'node:fs/promises';
import { MetricsRegistry } from '../metrics-registry.js';
import { Readings } from '../readings.js';

const MS_PER_SECOND = 1_000;

/** The process itself, by the usual names (`process_…`, `nodejs_…`), its event loop and its disk. */
@Injectable()
export class ProcessMetrics {
  constructor(metrics: MetricsRegistry, readings: Readings, health: HealthMonitor, { dataDir }: DataConfig) {
    collectDefaultMetrics({ register: metrics.registry });
    metrics.gauge('kindred_event_loop_delay_seconds', 'How late the event loop came to its timers in the last 30 to 60 seconds', () => {
      const { p50Ms, p99Ms, maxMs } = health.snapshot().eventLoop;
      return Object.entries({ p50: p50Ms, p99: p99Ms, max: maxMs }).map(([quantile, value]) => ({
        labels: { quantile },
        value: value / MS_PER_SECOND,
      }));
    });
    metrics.gauge('kindred_ready', 'Whether requests should be sent here: started, not draining, PostgreSQL reachable', () =>
      health.snapshot().isReady ? 1 : 0,
    );
    const disk = readings.make('disk', () => statfs(dataDir));
    metrics.gauge('kindred_data_directory_free_bytes', 'Room on the disk of DATA_DIR', async () => {
      const found = await disk.value();
      return found === null ? null : found.bavail * found.bsize;
    });
    metrics.gauge('kindred_data_directory_size_bytes', 'Size of the disk of DATA_DIR', async () => {
      const found = await disk.value();
      return found === null ? null : found.blocks * found.bsize;
    });
  }
}
