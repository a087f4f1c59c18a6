import type { Clock } from '#kernel';
import { LRUCache } from 'lru-cache';
import type { RateBucket } from './rate-bucket.js';

const REMEMBERED_MAXIMUM = 10_000;
/** Of a limit; what a process took and does not use before the window ends is lost to the others, so N processes may leave N times this unused. */
const SHARE = 1 / 200;
const SHARE_OF_REST = 1 / 4;
const AHEAD_MAXIMUM = 100;

/** How a bucket stands for this process. */
export interface LeaseState {
  /** Not yet counted by anybody when this process last asked, and what it holds itself. */
  readonly remaining: number;
  /** Of that, what only this process may use. */
  readonly held: number;
  /** Until its window ends; at least 1. */
  readonly resetSeconds: number;
}

/** What the database answered. */
export interface CountedAhead {
  readonly amount: number;
  /** Of the limit, when this was counted. */
  readonly remaining: number;
  /** Of the monotonic clock; no later than the true end of the window. */
  readonly untilMs: number;
}

interface Lease {
  readonly limit: number;
  readonly untilMs: number;
  readonly remaining: number;
  held: number;
}

/** What this process has counted in the database ahead of its requests, so that most of them need not ask. */
export class RateLeases {
  private readonly leases = new LRUCache<string, Lease>({ max: REMEMBERED_MAXIMUM });
  private readonly asking = new Set<string>();

  constructor(private readonly clock: Clock) {}

  /** Takes up to `cost` of what is held. @returns how much; whoever does not use it gives it back */
  draw(bucket: RateBucket, cost: number): number {
    const lease = this.find(bucket);
    if (lease === null) return 0;
    const drawn = Math.min(lease.held, cost);
    lease.held -= drawn;
    return drawn;
  }

  /** Whether so much is held. */
  holds(bucket: RateBucket, cost: number): boolean {
    return (this.find(bucket)?.held ?? 0) >= cost;
  }

  giveBack(bucket: RateBucket, drawn: number): void {
    const lease = this.find(bucket);
    if (lease !== null) lease.held += drawn;
  }

  /**
   * How much to count ahead beside what a request needs now: less towards the end of what is left, so that the last of it goes to whoever needs it.
   *
   * Of requests that ask at the same time only the first counts ahead.
   */
  ahead(bucket: RateBucket): number {
    if (this.asking.has(bucket.name)) return 0;
    const remaining = this.find(bucket)?.remaining ?? bucket.limit;
    return Math.floor(Math.min(AHEAD_MAXIMUM, bucket.limit * SHARE, remaining * SHARE_OF_REST));
  }

  /** While `work` asks the database for these buckets, others ask for no more than they need. */
  async whileAsking<T>(buckets: readonly RateBucket[], work: () => Promise<T>): Promise<T> {
    const names = buckets.map(({ name }) => name).filter((name) => !this.asking.has(name));
    for (const name of names) this.asking.add(name);
    try {
      return await work();
    } finally {
      for (const name of names) this.asking.delete(name);
    }
  }

  add(bucket: RateBucket, { amount, remaining, untilMs }: CountedAhead): void {
    const held = (this.find(bucket)?.held ?? 0) + amount;
    this.leases.set(bucket.name, { limit: bucket.limit, untilMs, remaining, held });
  }

  /** `null` = nothing is known, or no longer true. */
  state(bucket: RateBucket): LeaseState | null {
    const lease = this.find(bucket);
    if (lease === null) return null;
    const leftMs = lease.untilMs - this.clock.monotonicMs();
    return { remaining: lease.remaining + lease.held, held: lease.held, resetSeconds: Math.max(1, Math.ceil(leftMs / 1_000)) };
  }

  /** A limit that was changed begins with nothing held. */
  private find({ name, limit }: RateBucket): Lease | null {
    const lease = this.leases.get(name);
    return lease === undefined || lease.limit !== limit || lease.untilMs <= this.clock.monotonicMs() ? null : lease;
  }
}
