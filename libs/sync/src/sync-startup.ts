import type { RelayUnitOfWork } from '#database';
import type { Clock } from '#kernel';
import type { VectorStore } from '#vector-store';
import { Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { GenerationBootstrap } from './generations/generation-bootstrap.js';
import type { GenerationSupervisor } from './generations/generation-supervisor.js';
import type { IndexGeneration } from './generations/index-generation.js';
import { KeepTrying } from './keep-trying.js';
import { countPending } from './ledger/count-pending.js';
import { pause } from './pause.js';
import type { IndexRelay } from './relay/index-relay.js';
import type { SyncReadiness } from './sync-readiness.js';
import { untilAborted } from './until-aborted.js';

/** How long readiness waits for what the comparison marked: searches may miss it until it is written. */
const DRAIN_WAIT_DEFAULT_MS = 60_000;
const DRAIN_LOOK_MS = 50;

export interface SyncStartupParts {
  /** Resolves when the database is connected and migrated. */
  readonly databaseReady: () => Promise<void>;
  readonly unitOfWork: RelayUnitOfWork;
  readonly store: VectorStore;
  readonly bootstrap: GenerationBootstrap;
  readonly supervisor: GenerationSupervisor;
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
  private readonly trying: KeepTrying;
  private background: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: SyncStartupParts) {
    this.trying = new KeepTrying(this.logger, parts.clock, this.stopping.signal);
  }

  onApplicationBootstrap(): void {
    this.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.stop();
  }

  /** Begins to start; returns at once. */
  start(): void {
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
    await Promise.all([this.parts.relay.stop(), this.parts.supervisor.stop()]);
    await Promise.allSettled([this.background]);
  }

  private async run(): Promise<void> {
    const { databaseReady, bootstrap, readiness, relay, isRelayEnabled, store, supervisor } = this.parts;
    await untilAborted(databaseReady(), this.stopping.signal);
    readiness.advance('loading the model');
    const generations = await this.trying.run('The generations cannot be read', () => bootstrap.run());
    this.stopping.signal.throwIfAborted();
    supervisor.start();
    if (isRelayEnabled) relay.start();
    // The others answer no query; the supervisor sees to them.
    const serving = generations.filter(({ state }) => state === 'serving');
    const comparison = supervisor.bringUpAll(serving);
    // Awaited below, unless a model fails first.
    comparison.catch(() => undefined);
    const models = serving.map((generation) => this.loadModel(generation));
    if (store.source === 'local') {
      await Promise.all(models);
      readiness.advance('comparing the index');
      await this.waitForDrain(serving, await comparison);
    } else {
      this.inBackground(comparison);
      await Promise.all(models);
    }
    readiness.advance('ready');
  }

  private async loadModel(generation: IndexGeneration): Promise<void> {
    await this.trying.run(`The model of ${generation.source} cannot be loaded`, () =>
      untilAborted(this.parts.supervisor.loadModel(generation), this.stopping.signal),
    );
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

  private inBackground(work: Promise<unknown>): void {
    const settled = work.catch((error: unknown) => {
      if (!this.stopping.signal.aborted) this.logger.error(error instanceof Error ? error.message : String(error));
    });
    const before = this.background;
    this.background = Promise.allSettled([before, settled]);
  }
}
