import { LoadGauge } from '#security';
import { Injectable } from '@nestjs/common';
import { MetricsRegistry } from '../metrics-registry.js';

const MS_PER_SECOND = 1_000;

/** What searches there are for this process to do, and which it does not begin. */
@Injectable()
export class LoadMetrics {
  constructor(metrics: MetricsRegistry, gauge: LoadGauge) {
    metrics.gauge(
      'kindred_searches_under_way',
      'Searches that have begun and not ended; a batch counts each of its own',
      () => gauge.underWay,
    );
    metrics.gauge(
      'kindred_search_expected_wait_seconds',
      'What a search would wait that came now',
      () => gauge.expectedWaitMs / MS_PER_SECOND,
    );
    metrics.counter(
      'kindred_searches_turned_away_total',
      'Searches that were answered with 503 because they would have waited too long',
      () => gauge.shed,
    );
  }
}
