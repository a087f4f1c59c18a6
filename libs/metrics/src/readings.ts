import { Clock } from '#kernel';
import { Injectable } from '@nestjs/common';
import { MetricsRegistry } from './metrics-registry.js';
import { Reading } from './reading.js';

/** Makes readings whose failures are counted. */
@Injectable()
export class Readings {
  constructor(
    private readonly metrics: MetricsRegistry,
    private readonly clock: Clock,
  ) {}

  make<Value>(name: string, ask: () => Promise<Value>): Reading<Value> {
    return new Reading({ name, ask, clock: this.clock, onFailure: (failed) => this.metrics.noteFailure(failed) });
  }
}
