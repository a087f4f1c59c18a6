import { SecurityConfig } from '#config';
import { Clock } from '#kernel';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';

/** So many searches are always let in: fewer say nothing about a queue, and after an outage only finished searches can show that it is over. */
const ALWAYS_ADMITTED = 8;
/** Of the newest search in the mean time that one takes. */
const SMOOTHING = 0.05;
const TICK_MS = 20;

/**
 * Tells when searches are queueing, wherever they do: for the model's threads, the database, or this thread.
 *
 * While searches follow each other without a gap, the time between two that end is what one of them costs this process. So many times as much as there
 * are under way is what a new one would wait (Little's law). A stalled event loop shows in its own timer.
 */
@Injectable()
export class LoadGauge implements OnApplicationBootstrap, OnApplicationShutdown {
  private inFlight = 0;
  private meanMs = 0;
  private lastEndMs = 0;
  private lagMs = 0;
  private timer: NodeJS.Timeout | null = null;
  private shedCount = 0;

  constructor(
    private readonly config: SecurityConfig,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    let dueMs = this.clock.monotonicMs() + TICK_MS;
    this.timer = setInterval(() => {
      const nowMs = this.clock.monotonicMs();
      this.noteLag(Math.max(0, nowMs - dueMs));
      dueMs = nowMs + TICK_MS;
    }, TICK_MS);
    this.timer.unref();
  }

  onApplicationShutdown(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }

  /** Searches that have begun and not ended. */
  get underWay(): number {
    return this.inFlight;
  }

  /** Searches that were turned away since the start. */
  get shed(): number {
    return this.shedCount;
  }

  /** What a search would wait that came now, milliseconds. */
  get expectedWaitMs(): number {
    return Math.max(this.inFlight * this.meanMs, this.lagMs);
  }

  /** Whether a search that came now would wait too long. */
  private get isOverloaded(): boolean {
    const { overloadWaitMs } = this.config;
    return overloadWaitMs > 0 && this.inFlight >= ALWAYS_ADMITTED && this.expectedWaitMs > overloadWaitMs;
  }

  /** Whether a search that came now is turned away; counts those that are. */
  turnsAway(): boolean {
    if (!this.isOverloaded) return false;
    this.shedCount++;
    return true;
  }

  /** Whether a search may begin; if so, `end` must be called for it. */
  begin(): boolean {
    if (this.turnsAway()) return false;
    if (this.inFlight === 0) this.lastEndMs = this.clock.monotonicMs();
    this.inFlight++;
    return true;
  }

  /** A request turned out to be several searches. */
  add(searches: number): void {
    this.inFlight += searches;
  }

  /**
   * @param searches as many as were begun and added for the request
   * @param wereAnswered only those say what a search takes: what is refused ends at once
   */
  end(searches: number, wereAnswered = true): void {
    this.inFlight -= searches;
    if (!wereAnswered) return;
    const nowMs = this.clock.monotonicMs();
    const eachMs = (nowMs - this.lastEndMs) / searches;
    this.meanMs = this.meanMs === 0 ? eachMs : this.meanMs + SMOOTHING * (eachMs - this.meanMs);
    this.lastEndMs = nowMs;
  }

  /** The event loop was so late, milliseconds. */
  noteLag(lagMs: number): void {
    this.lagMs = lagMs;
  }
}
