export interface Timing {
  readonly name: string;
  readonly count: number;
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
  readonly per_second: number;
}

/** The value that this share of the sorted values does not exceed (nearest rank). */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/**
 * Calls `work` with 0 … count - 1, `concurrency` at a time, after `warmUp` calls that are not counted (with negative numbers).
 *
 * @param onDone called after each counted call with how many there are
 */
export async function measure(
  name: string,
  options: { readonly count: number; readonly warmUp: number; readonly concurrency: number },
  work: (call: number) => Promise<unknown>,
  onDone: (done: number) => void = () => undefined,
): Promise<Timing> {
  for (let call = -options.warmUp; call < 0; call++) await work(call);
  const durations: number[] = [];
  const calls = Array.from({ length: options.count }, (_, call) => call).values();
  const startedMs = performance.now();
  const lane = async (): Promise<void> => {
    for (const call of calls) {
      const begunMs = performance.now();
      await work(call);
      durations.push(performance.now() - begunMs);
      onDone(durations.length);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, lane));
  const elapsedMs = performance.now() - startedMs;
  const sorted = durations.sort((a, b) => a - b);
  const at = (share: number): number => rounded(percentile(sorted, share));
  return {
    name,
    count: options.count,
    p50_ms: at(0.5),
    p95_ms: at(0.95),
    p99_ms: at(0.99),
    per_second: rounded((options.count * 1_000) / elapsedMs),
  };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
