import { DurationHistogram, type DurationCounts } from './duration-histogram.js';

/** Histograms of one kind of work, one for each set of labels that has occurred. Labels must be few and known: each set is kept for good. */
export class LabelledDurations<Labels extends Readonly<Record<string, string>>> {
  private readonly histograms = new Map<string, { readonly labels: Labels; readonly durations: DurationHistogram }>();

  constructor(private readonly boundsMs: readonly number[]) {}

  observe(labels: Labels, durationMs: number): void {
    const key = Object.values(labels).join('|');
    let histogram = this.histograms.get(key);
    if (histogram === undefined) {
      histogram = { labels, durations: new DurationHistogram(this.boundsMs) };
      this.histograms.set(key, histogram);
    }
    histogram.durations.observe(durationMs);
  }

  /** In the order in which they first occurred. */
  entries(): readonly { readonly labels: Labels; readonly durations: DurationCounts }[] {
    return [...this.histograms.values()];
  }
}
