import type { TracingConfig } from '#config';
import { keepSpans } from './spans.js';

/**
 * Begins to send spans where OTEL_EXPORTER_OTLP_ENDPOINT says; without it, nothing is loaded and nothing is done.
 *
 * @returns sends what is left and ends; does nothing without tracing
 */
export async function startTracing({ endpoint }: TracingConfig, serviceName: string): Promise<() => Promise<void>> {
  if (endpoint === null) return () => Promise.resolve();
  // Loaded here: the packages take their time and memory at every start, and hardly anybody has a collector.
  const { OtlpSpanKeeper } = await import('./otlp-span-keeper.js');
  const keeper = new OtlpSpanKeeper(endpoint, serviceName);
  keepSpans(keeper);
  return async () => {
    keepSpans(null);
    await keeper.stop();
  };
}
