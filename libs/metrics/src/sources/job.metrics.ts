import { ImportsService } from '#ingestion';
import { Injectable } from '@nestjs/common';
import { MetricsRegistry } from '../metrics-registry.js';
import { Readings } from '../readings.js';

/** Imports, which all processes share. */
@Injectable()
export class JobMetrics {
  constructor(metrics: MetricsRegistry, readings: Readings, imports: ImportsService) {
    const jobs = readings.make('jobs', () => imports.countByState());
    metrics.gauge('kindred_jobs', 'Imports by state; they are forgotten 30 days after their end', async () => {
      const counts = await jobs.value();
      return counts === null ? null : Object.entries(counts).map(([state, value]) => ({ labels: { state }, value }));
    });
  }
}
