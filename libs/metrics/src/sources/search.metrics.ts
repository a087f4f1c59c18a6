import { HybridSearch } from '#search';
import { Injectable } from '@nestjs/common';
import { MetricsRegistry } from '../metrics-registry.js';

/** The searches that this process answers. */
@Injectable()
export class SearchMetrics {
  constructor(metrics: MetricsRegistry, searches: HybridSearch) {
    metrics.durations(
      'kindred_search_duration_seconds',
      'Searches by who answered (none = nobody), by mode, and by whether they had one text or many; without HTTP',
      () => [...searches.timings.entries()],
    );
  }
}
