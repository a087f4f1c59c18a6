import { DependencyProbe } from '#health';
import type { Clock } from '#kernel';

/** However often somebody scrapes, a dependency is asked once in that time. */
const MAX_AGE_MS = 10_000;
/** A slow answer is asked for less often, so that asking takes this share of one connection's time at most. */
const SHARE_OF_TIME = 0.02;
/** Well below the ten seconds after which Prometheus gives a scrape up. */
const TIMEOUT_MS = 2_000;

export interface ReadingOptions<Value> {
  /** Of the label `reading` of failures. */
  readonly name: string;
  readonly ask: () => Promise<Value>;
  readonly clock: Clock;
  /** Called for each time that it could not be had. */
  readonly onFailure: (name: string) => void;
}

/** Something that has to be asked for: asked seldom, one at a time, and never waited for longer than two seconds. */
export class Reading<Value> {
  private readonly probe: DependencyProbe<Value>;
  private nextMs = Number.NEGATIVE_INFINITY;
  private looking: Promise<void> | null = null;

  constructor(private readonly options: ReadingOptions<Value>) {
    const { ask, clock } = options;
    const timing = { timeoutMs: TIMEOUT_MS, slowMs: TIMEOUT_MS, now: () => clock.now(), monotonicMs: () => clock.monotonicMs() };
    this.probe = new DependencyProbe({ ...timing, ask });
  }

  /** What was answered at most some seconds ago; `null` when there was no answer. Never rejects. */
  async value(): Promise<Value | null> {
    if (this.options.clock.monotonicMs() >= this.nextMs) {
      this.looking ??= this.look().finally(() => {
        this.looking = null;
      });
      await this.looking;
    }
    return this.probe.last.value;
  }

  private async look(): Promise<void> {
    const { clock, name, onFailure } = this.options;
    await this.probe.refresh();
    const { value, responseTimeMs } = this.probe.last;
    if (value === null) onFailure(name);
    this.nextMs = clock.monotonicMs() + Math.max(MAX_AGE_MS, (responseTimeMs ?? 0) / SHARE_OF_TIME);
  }
}
