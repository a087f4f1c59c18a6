import type { RelayUnitOfWork } from '#database';
import type { EmbedderRegistry } from '#embeddings';
import type { Clock } from '#kernel';
import type { VectorStore } from '#vector-store';
import { Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { CollectionAttacher } from './generations/collection-attacher.js';
import type { GenerationBootstrap } from './generations/generation-bootstrap.js';
import type { GenerationCatalog } from './generations/generation-catalog.js';
import type { GenerationFiller } from './generations/generation-filler.js';
import type { IndexGeneration } from './generations/index-generation.js';
import type { IndexSourceRegistry } from './index-source-registry.js';
import { countPending } from './ledger/count-pending.js';
import { pause } from './pause.js';
import type { IndexRelay } from './relay/index-relay.js';
import { retry } from './retry.js';
import type { SyncReadiness } from './sync-readiness.js';

/** How long readiness waits for what the comparison marked: searches may miss it until it is written. */
const DRAIN_WAIT_DEFAULT_MS = 60_000;
const DRAIN_LOOK_MS = 50;
/** The same failure is logged this often at most. */
const LOG_EVERY_MS = 60_000;

export interface SyncStartupParts {
  /** Resolves when the database is connected and migrated. */
  readonly databaseReady: () => Promise<void>;
  readonly unitOfWork: RelayUnitOfWork;
  readonly store: VectorStore;
  readonly embedders: EmbedderRegistry;
  readonly sources: IndexSourceRegistry;
  readonly catalog: GenerationCatalog;
  readonly bootstrap: GenerationBootstrap;
  readonly filler: GenerationFiller;
  readonly attacher: CollectionAttacher;
  readonly relay: IndexRelay;
  readonly readiness: SyncReadiness;
  readonly clock: Clock;
  readonly isRelayEnabled: boolean;
  /** Default 60,000. */
  readonly drainWaitMs?: number;
}

/** Starts the engine in the background and stops it: nothing of it holds up the boot, and an index that is down does not hold up readiness. */
export class SyncStartup implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Sync');
  private readonly stopping = new AbortController();
  private readonly loggedAtMs = new Map<string, number>();
  private readonly bringingUp = new Map<number, Promise<number>>();
  private background: Promise<unknown> = Promise.resolve();
  private endSubscription: () => void = () => undefined;

  constructor(private readonly parts: SyncStartupParts) {}

  onApplicationBootstrap(): void {
    this.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.stop();
  }

  /** Begins to start; returns at once. */
  start(): void {
    const { relay, store } = this.parts;
    relay.onCollectionMissing((generation) => this.bringUpAgain(generation));
    this.endSubscription = store.onLost((cause) => this.reopen(cause));
    this.background = this.run().catch((error: unknown) => {
      if (this.stopping.signal.aborted) return;
      const failure = error instanceof Error ? error : new Error(String(error));
      this.logger.error(`The engine cannot start: ${failure.message}`);
      this.parts.readiness.fail(failure);
    });
  }

  /** Calls off what is under way and drains the relay. Idempotent; never rejects. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('The engine is stopping'));
    this.endSubscription();
    await this.parts.relay.stop();
    await Promise.allSettled([this.background, ...this.bringingUp.values()]);
  }

  private async run(): Promise<void> {
    const { databaseReady, bootstrap, readiness, relay, isRelayEnabled, store } = this.parts;
    await this.untilStopped(databaseReady());
    readiness.advance('loading the model');
    const generations = await this.keepTrying('The generations cannot be read', () => bootstrap.run());
    for (const generation of generations) this.inBackground(this.fill(generation));
    if (isRelayEnabled) relay.start();
    const comparison = this.bringUpAll(generations);
    // Awaited below, unless a model fails first.
    comparison.catch(() => undefined);
    const models = generations.filter(({ state }) => state === 'serving').map((generation) => this.loadModel(generation));
    if (store.source === 'local') {
      await Promise.all(models);
      readiness.advance('comparing the index');
      await this.waitForDrain(generations, await comparison);
    } else {
      this.inBackground(comparison);
      await Promise.all(models);
    }
    readiness.advance('ready');
  }

  /** Waits, but no longer than this process lives: what is awaited may never settle once it is called off. */
  private async untilStopped<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this.stopping;
    signal.throwIfAborted();
    const stopped = Promise.withResolvers<never>();
    const onAbort = (): void => stopped.reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([promise, stopped.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  private async fill(generation: IndexGeneration): Promise<void> {
    const { filler, sources, relay } = this.parts;
    const { signal } = this.stopping;
    await this.keepTrying(`Generation ${generation.id} cannot be filled`, () =>
      filler.fill(generation, sources.get(generation.source), { signal }),
    );
    relay.wake();
  }

  private async loadModel(generation: IndexGeneration): Promise<void> {
    const { embedders } = this.parts;
    await this.keepTrying(`The model of ${generation.source} cannot be loaded`, () =>
      this.untilStopped(embedders.get(generation.embedder).ready()),
    );
  }

  private async bringUpAll(generations: readonly IndexGeneration[]): Promise<number> {
    await this.keepTrying('The vector store cannot be opened', () => this.parts.store.open());
    const marked = await Promise.all(generations.map((generation) => this.bringUp(generation)));
    return marked.reduce((sum, count) => sum + count, 0);
  }

  /** Lets the relay at a generation as soon as its collection is ready; one at a time per generation. */
  private bringUp(generation: IndexGeneration): Promise<number> {
    const underWay = this.bringingUp.get(generation.id);
    if (underWay !== undefined) return underWay;
    const { attacher, relay, sources } = this.parts;
    const bringing = this.keepTrying(`The collection ${generation.collection} is not ready`, () =>
      attacher.attach(generation, sources.get(generation.source), this.stopping.signal),
    )
      .then(({ marked }) => {
        relay.wake();
        return marked;
      })
      .finally(() => this.bringingUp.delete(generation.id));
    this.bringingUp.set(generation.id, bringing);
    return bringing;
  }

  private bringUpAgain(generation: IndexGeneration): void {
    if (this.stopping.signal.aborted) return;
    this.parts.catalog.detach(generation.id);
    this.inBackground(this.bringUp(generation));
  }

  /** What the store loads now may be older than what it had acknowledged, so it is compared before anything is written. */
  private reopen(cause: Error): void {
    if (this.stopping.signal.aborted) return;
    this.logger.error(`The vector store has lost points and is opened again: ${cause.message}`);
    const again = async (): Promise<void> => {
      const generations = await this.keepTrying('The generations cannot be read', () => this.parts.bootstrap.run());
      for (const { id } of generations) this.parts.catalog.detach(id);
      // A bring-up that began before the loss may have compared what is gone.
      await Promise.allSettled([...this.bringingUp.values()]);
      for (const { id } of generations) this.parts.catalog.detach(id);
      await this.bringUpAll(generations);
    };
    this.inBackground(again());
  }

  private async waitForDrain(generations: readonly IndexGeneration[], marked: number): Promise<void> {
    const { clock, isRelayEnabled, unitOfWork } = this.parts;
    if (marked === 0 || !isRelayEnabled) return;
    const deadlineMs = clock.monotonicMs() + (this.parts.drainWaitMs ?? DRAIN_WAIT_DEFAULT_MS);
    const { rows } = await unitOfWork.query<{ now: Date }>('SELECT clock_timestamp() AS now');
    const until = rows[0]!.now;
    while (clock.monotonicMs() < deadlineMs) {
      const counts = await Promise.all(generations.map(({ id }) => countPending(unitOfWork, id, until)));
      if (counts.every((count) => count === 0)) return;
      await pause(DRAIN_LOOK_MS, this.stopping.signal);
    }
    this.logger.warn('The index is still behind the ledger; searches may miss rows until it has caught up');
  }

  private keepTrying<T>(what: string, action: () => Promise<T>): Promise<T> {
    return retry(action, {
      signal: this.stopping.signal,
      onFailure: (error, tries) => {
        const nowMs = this.parts.clock.monotonicMs();
        if (nowMs - (this.loggedAtMs.get(what) ?? Number.NEGATIVE_INFINITY) < LOG_EVERY_MS) return;
        this.loggedAtMs.set(what, nowMs);
        this.logger.warn(`${what} (try ${tries}), trying again: ${error instanceof Error ? error.message : String(error)}`);
      },
    });
  }

  private inBackground(work: Promise<unknown>): void {
    const settled = work.catch((error: unknown) => {
      if (!this.stopping.signal.aborted) this.logger.error(error instanceof Error ? error.message : String(error));
    });
    const before = this.background;
    this.background = Promise.allSettled([before, settled]);
  }
}
