import { UnitOfWork } from '#database';
import { Clock, RepeatedMessages } from '#kernel';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { RateBucket } from './rate-bucket.js';
import { RateLeases } from './rate-leases.js';

/** Length of a window. It begins with the first request of a bucket, so that buckets do not all begin anew at once. */
export const WINDOW_SECONDS = 60;
const SWEEP_EVERY_MS = 60_000;
const REMEMBERED_MAXIMUM = 10_000;

/** How the fullest of the buckets stands. */
export interface RateState {
  readonly isAllowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Until its window ends; at least 1. */
  readonly resetSeconds: number;
}

/*
 * One statement for all buckets of a request. A bucket that cannot bear its amount comes back without a row. In the order of their names, so that two
 * requests never wait for each other crosswise.
 */
const TAKE = `
INSERT INTO public.rate_limits AS r (bucket, used, maximum, expires_at)
SELECT bucket, amount, maximum, clock_timestamp() + make_interval(secs => $4)
FROM unnest($1::text[], $2::int[], $3::int[]) AS asked (bucket, maximum, amount) WHERE amount <= maximum ORDER BY bucket
ON CONFLICT (bucket) DO UPDATE SET
  used = CASE WHEN r.expires_at <= clock_timestamp() THEN EXCLUDED.used ELSE r.used + EXCLUDED.used END,
  expires_at = CASE WHEN r.expires_at <= clock_timestamp() THEN EXCLUDED.expires_at ELSE r.expires_at END,
  maximum = EXCLUDED.maximum
WHERE r.expires_at <= clock_timestamp() OR r.used + EXCLUDED.used <= EXCLUDED.maximum
RETURNING bucket, used, extract(epoch FROM expires_at - clock_timestamp())::float8 AS seconds`;

const LOOK = `
SELECT bucket, used, greatest(0, extract(epoch FROM expires_at - clock_timestamp()))::float8 AS seconds
FROM public.rate_limits WHERE bucket = ANY($1::text[])`;

const SWEEP = `DELETE FROM public.rate_limits WHERE expires_at < clock_timestamp() - interval '1 minute'`;

interface Row {
  readonly bucket: string;
  readonly used: number;
  readonly seconds: number;
}

/** Of what a request costs. */
interface Part {
  readonly bucket: RateBucket;
  readonly amount: number;
}

interface Demand extends Part {
  /** Beside what the request costs, for those that come after it. */
  readonly ahead: number;
}

interface Refusal {
  /** What was refused then; anything as large is refused until the window ends. */
  readonly cost: number;
  readonly untilMs: number;
  readonly remaining: number;
}

/** Counts what keys and addresses use, in the database, so that all processes count together. */
@Injectable()
export class RateLimits implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(RateLimits.name);
  private readonly messages: RepeatedMessages;
  /** What is used up stays used up until its window ends: whoever goes on asking is refused from memory. */
  private readonly refused = new LRUCache<string, Refusal>({ max: REMEMBERED_MAXIMUM });
  private readonly leases: RateLeases;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly database: UnitOfWork,
    private readonly clock: Clock,
  ) {
    this.messages = new RepeatedMessages(clock);
    this.leases = new RateLeases(clock);
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.database.query(SWEEP).catch(() => undefined), SWEEP_EVERY_MS);
    this.timer.unref();
  }

  onApplicationShutdown(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }

  /**
   * Charges every bucket with `cost`, or none of them when one cannot bear it.
   *
   * Most calls are answered from what this process counted ahead (`RateLeases`). `null` = nothing was counted, because the database did not answer: a
   * limit is not worth an outage.
   */
  async take(buckets: readonly RateBucket[], cost: number): Promise<RateState | null> {
    const remembered = this.findRefusal(buckets, cost);
    if (remembered !== null) return remembered;
    try {
      const tooSmall = buckets.filter(({ limit }) => limit < cost);
      const full = tooSmall.length > 0 ? tooSmall : await this.charge(buckets, cost);
      return full.length > 0 ? await this.refuse(full, cost) : this.tightest(buckets);
    } catch (error) {
      const msg = this.messages.pass('failed', 'Rate limits could not be counted; requests pass');
      if (msg !== null) this.logger.warn({ msg, reason: error instanceof Error ? error.message : String(error) });
      return null;
    }
  }

  /** @returns the buckets that could not bear it; then none was charged */
  private async charge(buckets: readonly RateBucket[], cost: number): Promise<RateBucket[]> {
    const drawn = buckets.map((bucket) => ({ bucket, amount: this.leases.draw(bucket, cost) }));
    const missing = drawn.filter(({ amount }) => amount < cost).map(({ bucket, amount }) => ({ bucket, amount: cost - amount }));
    const full = missing.length === 0 ? [] : await this.count(missing);
    if (full.length === 0) return [];
    const counted = missing.filter(({ bucket }) => !full.includes(bucket));
    for (const { bucket, amount } of [...drawn, ...counted]) this.leases.giveBack(bucket, amount);
    return full;
  }

  /** Counts what is missing, and something ahead where that still fits. @returns the buckets that could not bear what is missing */
  private async count(missing: readonly Part[]): Promise<RateBucket[]> {
    const demands = missing.map((part) => ({ ...part, ahead: this.leases.ahead(part.bucket) }));
    const refused = await this.leases.whileAsking(
      missing.map(({ bucket }) => bucket),
      () => this.ask(demands),
    );
    const again = refused.filter(({ ahead }) => ahead > 0).map((demand) => ({ ...demand, ahead: 0 }));
    const full = again.length === 0 ? [] : await this.ask(again);
    return [...refused.filter(({ ahead }) => ahead === 0), ...full].map(({ bucket }) => bucket);
  }

  /** @returns what was refused */
  private async ask(demands: readonly Demand[]): Promise<Demand[]> {
    // From before the statement: a lease must not outlive its window.
    const askedMs = this.clock.monotonicMs();
    const names = demands.map(({ bucket }) => bucket.name);
    const maxima = demands.map(({ bucket }) => bucket.limit);
    const amounts = demands.map(({ amount, ahead }) => amount + ahead);
    const { rows } = await this.database.query<Row>(TAKE, [names, maxima, amounts, WINDOW_SECONDS]);
    const found = new Map(rows.map((row) => [row.bucket, row]));
    return demands.filter(({ bucket, ahead }) => {
      const row = found.get(bucket.name);
      if (row === undefined) return true;
      this.leases.add(bucket, { amount: ahead, remaining: bucket.limit - row.used, untilMs: askedMs + row.seconds * 1_000 });
      return false;
    });
  }

  /** How the bucket stands that is nearest to its limit. */
  private tightest(buckets: readonly RateBucket[]): RateState {
    return buckets
      .map((bucket) => ({
        isAllowed: true,
        limit: bucket.limit,
        ...(this.leases.state(bucket) ?? { remaining: 0, resetSeconds: WINDOW_SECONDS }),
      }))
      .reduce((least, state) => (state.remaining < least.remaining ? state : least));
  }

  private async refuse(full: readonly RateBucket[], cost: number): Promise<RateState> {
    const { rows } = await this.database.query<Row>(LOOK, [full.map(({ name }) => name)]);
    const found = new Map(rows.map((row) => [row.bucket, row]));
    const states = full.map((bucket) => {
      const { used, seconds } = found.get(bucket.name) ?? { used: 0, seconds: WINDOW_SECONDS };
      const remaining = Math.max(0, bucket.limit - used) + (this.leases.state(bucket)?.held ?? 0);
      const state = { isAllowed: false, limit: bucket.limit, remaining, resetSeconds: Math.max(1, Math.ceil(seconds)) };
      this.refused.set(bucket.name, { cost, untilMs: this.clock.monotonicMs() + state.resetSeconds * 1_000, remaining });
      return state;
    });
    return states.reduce((longest, state) => (state.resetSeconds > longest.resetSeconds ? state : longest));
  }

  private findRefusal(buckets: readonly RateBucket[], cost: number): RateState | null {
    for (const bucket of buckets) {
      const refusal = this.refused.get(bucket.name);
      const leftMs = refusal === undefined ? 0 : refusal.untilMs - this.clock.monotonicMs();
      // What another request counted ahead at the same moment is still to be used up.
      if (refusal === undefined || leftMs <= 0 || cost < refusal.cost || this.leases.holds(bucket, cost)) continue;
      return { isAllowed: false, limit: bucket.limit, remaining: refusal.remaining, resetSeconds: Math.max(1, Math.ceil(leftMs / 1_000)) };
    }
    return null;
  }
}
