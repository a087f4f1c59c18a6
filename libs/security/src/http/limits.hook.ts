import { SecurityConfig } from '#config';
import { clientNetworkOf, DomainError } from '#kernel';
import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LoadGauge } from '../load-gauge.js';
import type { RateBucket } from '../rate-bucket.js';
import { RateLimits, WINDOW_SECONDS } from '../rate-limits.js';
import { accessOf, clientAddressOf } from './access.hook.js';

/** Most of a body that counts; more than any list may have, so that what will be refused anyway cannot overflow a counter. */
const COST_MAXIMUM = 100_000;
/** Of one request; a body that asks for more is refused by its schema. */
const SEARCHES_MAXIMUM = 50;

declare module 'fastify' {
  interface FastifyRequest {
    /** On routes of searches: the search is done, and what is left of the request waits for nothing that others queue for. */
    searchIsOver?: () => void;
  }
}

/** Keeps requests within the limits of their key and address, and searches within what the process can bear. */
@Injectable()
export class LimitsHook {
  /** Searches of requests that are under way. */
  private readonly searches = new WeakMap<FastifyRequest, number>();

  constructor(
    private readonly limits: RateLimits,
    private readonly gauge: LoadGauge,
    private readonly config: SecurityConfig,
  ) {}

  /** Before the body is read. @throws DomainError `access.rate-limited`, `access.overloaded` */
  async admit(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const access = accessOf(request);
    if (access?.scope === 'public') return;
    await this.take(request, reply, 1, 1);
    if (access?.search === undefined) return;
    if (access.search.mayWait?.(request) === true) {
      if (this.gauge.turnsAway()) throw overloaded();
      return;
    }
    if (!this.gauge.begin()) throw overloaded();
    this.searches.set(request, 1);
    request.searchIsOver = () => this.end(request, true);
    // Not the router's hook for replies: it does not come when the client is gone before.
    const end = (): void => this.end(request, reply.raw.statusCode < 300 && reply.raw.headersSent);
    reply.raw.once('finish', end).once('close', end);
  }

  /** When the body is there, because it says how much more is asked for. @throws DomainError `access.rate-limited` */
  async charge(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const access = accessOf(request);
    if (access?.search?.mayWait?.(request) === true) this.end(request, false);
    const cost = Math.min(COST_MAXIMUM, access?.costOf?.(request.body) ?? 1);
    if (cost === 1) return;
    await this.take(request, reply, cost - 1, cost);
    this.addSearches(request, Math.min(cost, SEARCHES_MAXIMUM) - 1);
  }

  /** @param total of the request, for the words of a refusal */
  private async take(request: FastifyRequest, reply: FastifyReply, cost: number, total: number): Promise<void> {
    const buckets = this.bucketsOf(request);
    if (buckets.length === 0) return;
    const state = await this.limits.take(buckets, cost);
    if (state === null) return;
    reply.headers({
      'ratelimit-limit': state.limit,
      'ratelimit-remaining': state.remaining,
      'ratelimit-reset': state.resetSeconds,
      'ratelimit-policy': `${state.limit};w=${WINDOW_SECONDS}`,
    });
    if (state.isAllowed) return;
    const detail =
      total > state.limit
        ? `This request counts ${total}, more than the limit of ${state.limit} a minute`
        : `The limit is ${state.limit} a minute, ${state.remaining} are left, and it begins anew in ${state.resetSeconds} s`;
    throw new DomainError('access.rate-limited', { detail, headers: { 'Retry-After': String(state.resetSeconds) } });
  }

  /** @param wasAnswered only searches that were carried out say how long one takes */
  private end(request: FastifyRequest, wasAnswered: boolean): void {
    const searches = this.searches.get(request);
    if (searches === undefined) return;
    this.searches.delete(request);
    this.gauge.end(searches, wasAnswered);
  }

  private addSearches(request: FastifyRequest, more: number): void {
    const known = this.searches.get(request);
    if (known === undefined || more === 0) return;
    this.searches.set(request, known + more);
    this.gauge.add(more);
  }

  private bucketsOf(request: FastifyRequest): RateBucket[] {
    const { caller } = request;
    if (caller === undefined) return [];
    const buckets: RateBucket[] = [];
    if (caller.keyId !== null && caller.rateLimitPerMinute > 0)
      buckets.push({ name: `key:${caller.keyId}`, limit: caller.rateLimitPerMinute });
    const { access, addressRateLimitPerMinute } = this.config;
    if (access === 'required' && addressRateLimitPerMinute > 0) {
      buckets.push({ name: `address:${clientNetworkOf(clientAddressOf(request))}`, limit: addressRateLimitPerMinute });
    }
    return buckets;
  }
}

function overloaded(): DomainError {
  return new DomainError('access.overloaded', { headers: { 'Retry-After': '1' } });
}
