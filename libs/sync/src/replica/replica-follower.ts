import type { UnitOfWork } from '#database';
import { RepeatedMessages, type Clock } from '#kernel';
import type { SearchReplica } from '#vector-store';
import { Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { GenerationCatalog } from '../generations/generation-catalog.js';
import type { IndexSourceRegistry } from '../index-source-registry.js';
import { pause } from '../pause.js';
import { GenerationCopy } from './generation-copy.js';

/** Between two looks at the ledger: short while there is something to copy, long while there is nothing. */
const SHORTEST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 2_000;

export interface ReplicaFollowerParts {
  /** Resolves when the database is connected and migrated. */
  readonly databaseReady: () => Promise<void>;
  readonly unitOfWork: UnitOfWork;
  readonly replica: SearchReplica;
  readonly sources: IndexSourceRegistry;
  readonly catalog: GenerationCatalog;
  readonly clock: Clock;
  /** As {@link GenerationCopyParts.gapMs}; half of the grace of tombstones. */
  readonly gapMs: number;
}

/**
 * Keeps, in this process, a copy of every serving generation by following the ledger, whichever process's relay does the work. It never asks the index
 * itself, so that the copy comes into being and is kept while that is away.
 */
export class ReplicaFollower implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('ReplicaFollower');
  private readonly messages: RepeatedMessages;
  private readonly stopping = new AbortController();
  private readonly copies = new Map<string, GenerationCopy>();
  private isOpen = false;
  private hasStrangers = true;
  private background: Promise<void> = Promise.resolve();
  private endSubscription: () => void = () => undefined;

  constructor(private readonly parts: ReplicaFollowerParts) {
    this.messages = new RepeatedMessages(parts.clock);
  }

  onApplicationBootstrap(): void {
    this.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.stop();
  }

  /** Begins to follow; returns at once. */
  start(): void {
    this.background = this.run();
  }

  /** Ends between two pages. Idempotent; never rejects. The store stays open: searches may still be under way. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('The engine is stopping'));
    this.endSubscription();
    await this.background;
  }

  /**
   * Brings the copies of all serving generations in step, once; returns how many points changed.
   *
   * @throws what the first copy that failed said; the others have been brought in step all the same
   */
  async runOnce(): Promise<number> {
    const { catalog, sources } = this.parts;
    if (!this.isOpen) await this.open();
    const known = new Set(sources.all().map(({ name }) => name));
    const serving = (await catalog.list()).filter(({ state, source }) => state === 'serving' && known.has(source));
    for (const generation of serving) {
      if (this.copies.has(generation.collection)) continue;
      this.copies.set(
        generation.collection,
        new GenerationCopy(generation, sources.get(generation.source), { ...this.parts, messages: this.messages }),
      );
      this.hasStrangers = true;
    }
    const current = serving.map(({ collection }) => this.copies.get(collection)!);
    const outcomes = await Promise.allSettled(current.map((copy) => copy.advance(this.stopping.signal)));
    // Only now: until the new one can answer, the old one may be needed for a rollback.
    if (this.hasStrangers && current.length > 0 && current.every(({ isSettled }) => isSettled)) await this.dropOthers(current);
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    return outcomes.reduce((sum, outcome) => sum + (outcome.status === 'fulfilled' ? outcome.value : 0), 0);
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    let pauseMs = SHORTEST_PAUSE_MS;
    // A database that never becomes ready ends the process, or is waited for until it is stopped.
    await Promise.race([
      this.parts.databaseReady().catch(() => undefined),
      new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true })),
    ]);
    while (!signal.aborted) {
      try {
        const changed = await this.runOnce();
        pauseMs = changed > 0 ? SHORTEST_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
      } catch (error) {
        pauseMs = LONGEST_PAUSE_MS;
        if (!signal.aborted) this.warn(error);
      }
      await pause(pauseMs, signal).catch(() => undefined);
    }
  }

  private async open(): Promise<void> {
    const { store } = this.parts.replica;
    await store.open();
    this.endSubscription();
    this.endSubscription = store.onLost(() => {
      this.isOpen = false;
      for (const copy of this.copies.values()) copy.lose();
    });
    this.isOpen = true;
  }

  /** Removes the copies of generations that serve no more, and what an earlier process left behind. */
  private async dropOthers(current: readonly GenerationCopy[]): Promise<void> {
    const { replica } = this.parts;
    const kept = new Set(current.map(({ generation }) => generation.collection));
    for (const collection of new Set([...this.copies.keys(), ...(await replica.store.listCollections())])) {
      if (kept.has(collection)) continue;
      this.copies.delete(collection);
      replica.forget(collection);
      await replica.store.drop(collection);
    }
    this.hasStrangers = false;
  }

  private warn(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const message = this.messages.pass('follow', `The copy of the index cannot follow the ledger: ${reason}`);
    if (message !== null) this.logger.warn(message);
  }
}
