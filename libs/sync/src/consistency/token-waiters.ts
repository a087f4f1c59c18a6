import type { SqlSession } from '#database';
import { RepeatedMessages, type Clock } from '#kernel';
import { Logger } from '@nestjs/common';
import { pause } from '../pause.js';
import type { ConsistencyToken, TokenState } from './consistency-token.js';
import { judgeToken, type EntryPosition } from './judge-token.js';
import { positionName, readPositions } from './read-positions.js';

/** A change needs some milliseconds at least to be embedded and written; a slow one is looked for less often. */
const FIRST_INTERVAL_MS = 4;
const LONGEST_INTERVAL_MS = 64;
/** More waiting requests than one process should hold; whoever comes then gets one look. */
const WAITERS_MAXIMUM_DEFAULT = 1_000;
/** A look that takes longer than this beyond the caller's time is not waited for. */
const LOOK_MARGIN_MS = 1_000;

/** What was seen, and in which generation; `null` = none was looked at. */
export interface TokenSighting {
  readonly generationId: number | null;
  readonly state: TokenState;
}

export interface TokenWaitersParts {
  readonly session: SqlSession;
  /** The generation that searches use now, or `null` while there is none. */
  readonly servingId: (source: string) => Promise<number | null>;
  /** The generation that `servingId` gave does not serve any more. */
  readonly onSuperseded: () => void;
  readonly clock: Clock;
  /** Default 1,000. */
  readonly maximum?: number;
}

interface Waiter {
  readonly token: ConsistencyToken;
  readonly deadlineMs: number;
  readonly resolve: (sighting: TokenSighting) => void;
  /** Infinity while it is being looked at. */
  nextLookMs: number;
  intervalMs: number;
}

const NOTHING_SEEN: TokenSighting = { generationId: null, state: 'behind' };

/**
 * Waits for the index, for any number of callers with one statement at a time.
 *
 * Each caller is looked at once immediately, then at distances of 4 to 64 ms on a common grid, so that those who wait at the same time share their
 * statements; and at once when the relay of this process has recorded the row.
 */
export class TokenWaiters {
  private readonly logger = new Logger('ConsistencyTokens');
  private readonly messages: RepeatedMessages;
  private readonly waiters = new Set<Waiter>();
  private isWorking = false;
  private isClosed = false;
  private wakeSleeper: (() => void) | null = null;

  constructor(private readonly parts: TokenWaitersParts) {
    this.messages = new RepeatedMessages(parts.clock);
  }

  /** Callers that are waiting now. */
  get count(): number {
    return this.waiters.size;
  }

  /**
   * Resolves as soon as the token is reached or dead, at the latest after `waitMs` and one last look. Never rejects: what cannot be told is `behind`.
   *
   * @param waitMs 0 = one look
   */
  async wait(token: ConsistencyToken, waitMs: number): Promise<TokenSighting> {
    const nowMs = this.parts.clock.monotonicMs();
    const isFull = this.waiters.size >= (this.parts.maximum ?? WAITERS_MAXIMUM_DEFAULT);
    const patienceMs = isFull || this.isClosed ? 0 : waitMs;
    let waiter: Waiter | undefined;
    // For a database that does not answer; a look that comes back in time settles it before.
    const timer = new AbortController();
    try {
      return await new Promise<TokenSighting>((resolve) => {
        waiter = { token, deadlineMs: nowMs + patienceMs, resolve, nextLookMs: nowMs, intervalMs: FIRST_INTERVAL_MS };
        this.waiters.add(waiter);
        pause(patienceMs + LOOK_MARGIN_MS, timer.signal).then(
          () => resolve(NOTHING_SEEN),
          () => undefined,
        );
        this.work();
      });
    } finally {
      timer.abort();
      this.waiters.delete(waiter!);
    }
  }

  /** The relay has recorded a change of the row: whoever waits for it is looked at now. */
  notice(sourceId: string): void {
    let isAwaited = false;
    for (const waiter of this.waiters) {
      if (waiter.token.id !== sourceId) continue;
      waiter.nextLookMs = this.parts.clock.monotonicMs();
      isAwaited = true;
    }
    if (isAwaited) this.work();
  }

  /** Ends all waiting, now and from now on: the relay is about to stop, and the last requests must not hold up the stop. */
  close(): void {
    this.isClosed = true;
    for (const { resolve } of this.waiters) resolve(NOTHING_SEEN);
  }

  private work(): void {
    if (this.isWorking) this.wakeSleeper?.();
    else void this.lookUntilNobodyWaits();
  }

  /** Never rejects. */
  private async lookUntilNobodyWaits(): Promise<void> {
    this.isWorking = true;
    while (this.waiters.size > 0) {
      const nowMs = this.parts.clock.monotonicMs();
      const due = [...this.waiters].filter(({ nextLookMs }) => nextLookMs <= nowMs);
      if (due.length > 0) await this.look(due);
      else await this.sleep(Math.min(...[...this.waiters].map(({ nextLookMs }) => nextLookMs)) - nowMs);
    }
    // In the same step as the last look at the set: whoever comes later must start anew.
    this.isWorking = false;
  }

  private async look(due: readonly Waiter[]): Promise<void> {
    for (const waiter of due) waiter.nextLookMs = Number.POSITIVE_INFINITY;
    const sightings = await this.sightingsOf(due.map(({ token }) => token));
    const nowMs = this.parts.clock.monotonicMs();
    due.forEach((waiter, index) => {
      const sighting = sightings[index]!;
      if (sighting.state !== 'behind' || nowMs >= waiter.deadlineMs) {
        this.waiters.delete(waiter);
        waiter.resolve(sighting);
      } else if (waiter.nextLookMs === Number.POSITIVE_INFINITY) {
        const nextTickMs = (Math.floor(nowMs / waiter.intervalMs) + 1) * waiter.intervalMs;
        waiter.nextLookMs = Math.min(nextTickMs, waiter.deadlineMs);
        waiter.intervalMs = Math.min(2 * waiter.intervalMs, LONGEST_INTERVAL_MS);
      }
    });
  }

  private async sightingsOf(tokens: readonly ConsistencyToken[]): Promise<TokenSighting[]> {
    try {
      const serving = new Map<string, number | null>();
      for (const { source } of tokens) if (!serving.has(source)) serving.set(source, await this.parts.servingId(source));
      const keys = tokens.map(({ source, id }) => ({ generationId: serving.get(source) ?? null, sourceId: id }));
      const known = keys.flatMap(({ generationId, sourceId }) => (generationId === null ? [] : [{ generationId, sourceId }]));
      const positions = known.length === 0 ? new Map<string, EntryPosition | null>() : await readPositions(this.parts.session, known);
      if (known.some((key) => !positions.has(positionName(key)))) this.parts.onSuperseded();
      return keys.map(({ generationId, sourceId }, index) => {
        const entry = generationId === null ? undefined : positions.get(positionName({ generationId, sourceId }));
        if (generationId === null || entry === undefined) return NOTHING_SEEN;
        return { generationId, state: judgeToken(tokens[index]!, generationId, entry) };
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const message = this.messages.pass('look', `The ledger cannot be asked how far the index is: ${reason}`);
      if (message !== null) this.logger.warn(message);
      return tokens.map(() => NOTHING_SEEN);
    }
  }

  private async sleep(durationMs: number): Promise<void> {
    const woken = new AbortController();
    this.wakeSleeper = () => woken.abort();
    await pause(durationMs, woken.signal).catch(() => undefined);
    this.wakeSleeper = null;
  }
}
