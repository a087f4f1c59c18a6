import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How late the event loop came to its timers, milliseconds. */
export interface EventLoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** The part of node's histogram that is used; nanoseconds. */
export interface DelayHistogram {
  readonly max: number;
  percentile(percentile: number): number;
  enable(): boolean;
  disable(): boolean;
  reset(): void;
}

/** Between two samples; a sample is this late at least. */
const RESOLUTION_MS = 20;
/** What happened longer ago than two of these is forgotten. */
const WINDOW_MS = 30_000;
const NS_PER_MS = 1e6;
const NONE: EventLoopDelay = { p50Ms: 0, p99Ms: 0, maxMs: 0 };

/** Measures how late the event loop of this process is, over the last 30 to 60 seconds. */
@Injectable()
export class EventLoopWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly histogram: DelayHistogram;
  private lastWindow = NONE;
  private timer: NodeJS.Timeout | null = null;

  constructor() {
    this.histogram = this.makeHistogram();
  }

  /** For tests, which have no time to wait for a stall. */
  protected makeHistogram(): DelayHistogram {
    return monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  }

  onApplicationBootstrap(): void {
    this.histogram.enable();
    this.timer = setInterval(() => this.turnWindow(), WINDOW_MS);
    this.timer.unref();
  }

  onApplicationShutdown(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.histogram.disable();
  }

  /** The worse of the running window and the one before. */
  get delay(): EventLoopDelay {
    const now = this.read();
    const { lastWindow: last } = this;
    return {
      p50Ms: Math.max(now.p50Ms, last.p50Ms),
      p99Ms: Math.max(now.p99Ms, last.p99Ms),
      maxMs: Math.max(now.maxMs, last.maxMs),
    };
  }

  private turnWindow(): void {
    this.lastWindow = this.read();
    this.histogram.reset();
  }

  private read(): EventLoopDelay {
    const late = (nanoseconds: number) => (Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / NS_PER_MS - RESOLUTION_MS) : 0);
    return { p50Ms: late(this.histogram.percentile(50)), p99Ms: late(this.histogram.percentile(99)), maxMs: late(this.histogram.max) };
  }
}
