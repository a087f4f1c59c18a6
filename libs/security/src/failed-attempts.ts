import { clientNetworkOf, Clock } from '#kernel';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';

const WINDOW_MS = 60_000;
/** A program with an old key tries a few times; who tries more often is guessing. */
const FAILURES_MAXIMUM = 30;
const ADDRESSES_MAXIMUM = 10_000;

interface Window {
  readonly startedMs: number;
  count: number;
}

/**
 * Counts wrong keys by address, per process.
 *
 * Guessing 256 random bits is hopeless anyway; this keeps the guesses from the database, and the log readable.
 */
@Injectable()
export class FailedAttempts {
  private readonly windows = new LRUCache<string, Window>({ max: ADDRESSES_MAXIMUM });

  constructor(private readonly clock: Clock) {}

  note(address: string): void {
    const window = this.current(address);
    if (window === undefined) this.windows.set(clientNetworkOf(address), { startedMs: this.clock.monotonicMs(), count: 1 });
    else window.count++;
  }

  areTooMany(address: string): boolean {
    return (this.current(address)?.count ?? 0) >= FAILURES_MAXIMUM;
  }

  /** Until failures are forgotten; at least 1. */
  retryAfterSeconds(address: string): number {
    const window = this.current(address);
    if (window === undefined) return 1;
    return Math.max(1, Math.ceil((window.startedMs + WINDOW_MS - this.clock.monotonicMs()) / 1_000));
  }

  private current(address: string): Window | undefined {
    const window = this.windows.get(clientNetworkOf(address));
    return window !== undefined && this.clock.monotonicMs() - window.startedMs < WINDOW_MS ? window : undefined;
  }
}
