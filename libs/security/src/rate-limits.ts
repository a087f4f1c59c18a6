import { UnitOfWork } from '#database';
import { Clock, RepeatedMessages } from '#kernel';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';

/** Length of a window. It begins with the first request of a bucket, so that buckets do not all begin anew at once. */
export const WINDOW_SECONDS = 60;
const SWEEP_EVERY_MS = 60_000;
const REMEMBERED_MAXIMUM = 10_000;

/** Something that may be used so often in a window. */
export interface RateBucket {
  /** For example `key:3f9a1c0b7d42`. */
  readonly name: string;
  /** Above 0. */
  readonly limit: number;
}

/** How the fullest of the buckets stands. */
export interface RateState {
  readonly isAllowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Until its window ends; at least 1. */
  readonly resetSeconds: number;
}

/*
 * One statement for all buckets of a request, 0.2 to 0.5 ms. A bucket that is full comes back without a row; what the others were charged by then stays
 * charged. In the order of their names, so that two requests never wait for each other crosswise.
 */
const TAKE = `
INSERT INTO public.rate_limits AS r (bucket, used, maximum, expires_at)
SELECT bucket, $3, maximum, clock_timestamp() + make_interval(secs => $4)
FROM unnest($1::text[], $2::int[]) AS asked (bucket, maximum) ORDER BY bucket
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
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly database: UnitOfWork,
    private readonly clock: Clock,
  ) {
    this.messages = new RepeatedMessages(clock);
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.database.query(SWEEP).catch(() => undefined), SWEEP_EVERY_MS);
    this.timer.unref();
  }

  onApplicationShutdown(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }

  /**
   * Charges every bucket with `cost`, unless one of them cannot bear it.
   *
   * `null` = nothing was counted, because the database did not answer: a limit is not worth an outage.
   */
  async take(buckets: readonly RateBucket[], cost: number): Promise<RateState | null> {
    const remembered = this.findRefusal(buckets, cost);
    if (remembered !== null) return remembered;
    try {
      return await this.charge(buckets, cost);
    } catch (error) {
      const msg = this.messages.pass('failed', 'Rate limits could not be counted; requests pass');
      if (msg !== null) this.logger.warn({ msg, reason: error instanceof Error ? error.message : String(error) });
      return null;
    }
  }

  private async charge(buckets: readonly RateBucket[], cost: number): Promise<RateState> {
    const names = buckets.map(({ name }) => name);
    const fitting = buckets.every(({ limit }) => cost <= limit);
    const { rows } = fitting
      ? await this.database.query<Row>(TAKE, [names, buckets.map(({ limit }) => limit), cost, WINDOW_SECONDS])
      : { rows: [] };
    const found = new Map(rows.map((row) => [row.bucket, row]));
    const full = buckets.filter(({ name, limit }) => !found.has(name) && (fitting || cost > limit));
    if (full.length > 0) return this.refuse(full, cost);
    const states = buckets.map(({ name, limit }) => stateOf(limit, found.get(name)!, true));
    return states.reduce((least, state) => (state.remaining < least.remaining ? state : least));
  }

  private async refuse(full: readonly RateBucket[], cost: number): Promise<RateState> {
    const { rows } = await this.database.query<Row>(LOOK, [full.map(({ name }) => name)]);
    const found = new Map(rows.map((row) => [row.bucket, row]));
    const states = full.map(({ name, limit }) => {
      const state = stateOf(limit, found.get(name) ?? { bucket: name, used: 0, seconds: WINDOW_SECONDS }, false);
      this.refused.set(name, { cost, untilMs: this.clock.monotonicMs() + state.resetSeconds * 1_000, remaining: state.remaining });
      return state;
    });
    return states.reduce((longest, state) => (state.resetSeconds > longest.resetSeconds ? state : longest));
  }

  private findRefusal(buckets: readonly RateBucket[], cost: number): RateState | null {
    for (const { name, limit } of buckets) {
      const refusal = this.refused.get(name);
      const leftMs = refusal === undefined ? 0 : refusal.untilMs - this.clock.monotonicMs();
      if (refusal === undefined || leftMs <= 0 || cost < refusal.cost) continue;
      return { isAllowed: false, limit, remaining: refusal.remaining, resetSeconds: Math.max(1, Math.ceil(leftMs / 1_000)) };
    }
    return null;
  }
}

function stateOf(limit: number, { used, seconds }: Row, isAllowed: boolean): RateState {
  return { isAllowed, limit, remaining: Math.max(0, limit - used), resetSeconds: Math.max(1, Math.ceil(seconds)) };
}
