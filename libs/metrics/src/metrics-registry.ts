import type { DurationCounts } from '#kernel';
import { Injectable } from '@nestjs/common';
import { Counter, Registry, type Metric } from 'prom-client';

/** One value of a series. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One histogram of a series. */
export interface DurationSample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly durations: DurationCounts;
}

/** What a reader may return: many values, one, or none (`null`), which leaves the series out. */
type Read<T> = () => Promise<readonly T[] | T | null> | readonly T[] | T | null;

interface NamedValue extends Sample {
  readonly metricName?: string;
}

const MS_PER_SECOND = 1_000;

/**
 * All series of this process. Those that somebody counts already are read when they are asked for, so nothing is counted twice.
 *
 * A reader that fails leaves its series out, and never the others.
 */
@Injectable()
export class MetricsRegistry {
  readonly registry = new Registry();
  /** Beside the others, because it is read when they have been. */
  private readonly ofScrapes = new Registry();
  private readonly failures = new Counter({
    name: 'kindred_scrape_failures_total',
    help: 'Times that the values of some series could not be had; they are absent then',
    labelNames: ['reading'],
    registers: [this.ofScrapes],
  });

  get contentType(): string {
    return this.registry.contentType;
  }

  /** Registers a series whose value may fall. */
  gauge(name: string, help: string, read: Read<Sample | number>): void {
    this.add(name, help, 'gauge', async () => samplesOf(await read()));
  }

  /** Registers a series whose value only grows; its name ends in `_total`. */
  counter(name: string, help: string, read: Read<Sample | number>): void {
    this.add(name, help, 'counter', async () => samplesOf(await read()));
  }

  /** Registers durations, which are published in seconds. */
  durations(name: string, help: string, read: Read<DurationSample>): void {
    this.add(name, help, 'histogram', async () => listOf(await read()).flatMap((sample) => bucketsOf(name, sample)));
  }

  /** Registers the mean of something, as its sum and the number of its values. */
  mean(name: string, help: string, read: () => { readonly sum: number; readonly count: number } | null): void {
    this.add(name, help, 'summary', () => {
      const mean = read();
      if (mean === null) return [];
      return [
        { metricName: `${name}_sum`, value: mean.sum },
        { metricName: `${name}_count`, value: mean.count },
      ];
    });
  }

  noteFailure(reading: string): void {
    this.failures.inc({ reading });
  }

  /** All series as text, in the form that Prometheus reads. */
  async render(): Promise<string> {
    const text = await this.registry.metrics();
    return `${text}\n${await this.ofScrapes.metrics()}`;
  }

  /** The name and type of every series there may be. */
  catalog(): { readonly name: string; readonly help: string; readonly type: string }[] {
    const metrics = [...this.registry.getMetricsAsArray(), ...this.ofScrapes.getMetricsAsArray()] as unknown as {
      readonly name: string;
      readonly help: string;
      readonly type: string | undefined;
      readonly constructor: { readonly name: string };
    }[];
    return metrics.map(({ name, help, type, constructor }) => ({ name, help, type: type ?? constructor.name.toLowerCase() }));
  }

  private add(
    name: string,
    help: string,
    type: 'gauge' | 'counter' | 'histogram' | 'summary',
    read: () => Promise<NamedValue[]> | NamedValue[],
  ): void {
    const get = async () => {
      try {
        return { name, help, type, values: await read() };
      } catch {
        this.noteFailure(name);
        return { name, help, type, values: [] };
      }
    };
    // The library asks no more of a metric than its name and `get`; its own classes keep values themselves, and would have to be told of each.
    this.registry.registerMetric({ name, help, type, get, reset: () => undefined } as unknown as Metric);
  }
}

function listOf<T>(read: readonly T[] | T | null): readonly T[] {
  if (read === null) return [];
  return Array.isArray(read) ? (read as readonly T[]) : [read as T];
}

function samplesOf(read: readonly (Sample | number)[] | Sample | number | null): NamedValue[] {
  return listOf<Sample | number>(read).map((sample) => (typeof sample === 'number' ? { value: sample } : sample));
}

function bucketsOf(name: string, { labels = {}, durations: { boundsMs, counts, sumMs } }: DurationSample): NamedValue[] {
  let total = 0;
  const buckets = counts.map((count, index): NamedValue => {
    total += count;
    const bound = boundsMs[index];
    return {
      metricName: `${name}_bucket`,
      labels: { ...labels, le: bound === undefined ? '+Inf' : String(bound / MS_PER_SECOND) },
      value: total,
    };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sumMs / MS_PER_SECOND },
    { metricName: `${name}_count`, labels, value: total },
  ];
}
