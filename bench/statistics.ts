/** Order statistics of durations in milliseconds. */
export class Durations {
  private readonly values: number[] = [];

  add(durationMs: number): void {
    this.values.push(durationMs);
  }

  get count(): number {
    return this.values.length;
  }

  /** Nearest-rank percentile; `NaN` without values. */
  percentile(rank: number): number {
    const sorted = [...this.values].sort((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil((rank / 100) * sorted.length) - 1)] ?? NaN;
  }

  get p50(): number {
    return this.percentile(50);
  }

  get p95(): number {
    return this.percentile(95);
  }

  get p99(): number {
    return this.percentile(99);
  }
}

/** Runs `work` once and returns how long it took, milliseconds. */
export async function timed(work: () => unknown): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}
