import { AnswerCache, GuardedTextGenerator } from '#answers';
import { Inject, Injectable } from '@nestjs/common';
import { MetricsRegistry } from '../metrics-registry.js';

const STATES = ['closed', 'half-open', 'open'] as const;

/** The model that writes answers, where there is one, and what is remembered of it. */
@Injectable()
export class AnswerMetrics {
  constructor(metrics: MetricsRegistry, cache: AnswerCache, @Inject(GuardedTextGenerator) generator: GuardedTextGenerator | null) {
    metrics.counter('kindred_answer_cache_total', 'Questions by where their answer came from', () => {
      const { hits, joined, misses } = cache.stats();
      return Object.entries({ hit: hits, joined, miss: misses }).map(([result, value]) => ({ labels: { result }, value }));
    });
    metrics.gauge('kindred_answer_cache_entries', 'Answers that are remembered', () => cache.stats().entries);
    metrics.gauge('kindred_answer_cache_bytes', 'What they take', () => cache.stats().bytes);
    metrics.counter('kindred_generator_requests_total', 'Answers that were asked of the model, by how it ended', () => {
      if (generator === null) return null;
      const { asked, failed, heldBack } = generator.stats();
      return Object.entries({ ok: asked - failed, failed, held_back: heldBack }).map(([outcome, value]) => ({
        labels: { outcome },
        value,
      }));
    });
    metrics.gauge('kindred_generator_breaker_state', 'The state of the breaker before the model is 1, the others 0', () =>
      generator === null ? null : STATES.map((state) => ({ labels: { state }, value: state === generator.state ? 1 : 0 })),
    );
  }
}
