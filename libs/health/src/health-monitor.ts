import { DatabaseLifecycle } from '#database';
import { EmbedderRegistry, type EmbeddingServiceState } from '#embeddings';
import { Clock } from '#kernel';
import { IndexDirectory, IndexRelay, IndexSourceRegistry, SyncReadiness } from '#sync';
import { SearchStore, VectorStore, type BreakerState, type ReplicaState, type StoreStatus } from '#vector-store';
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DependencyProbe, type ProbeResult } from './dependency-probe.js';
import { EventLoopWatch, type EventLoopDelay } from './event-loop-watch.js';
import { lookAtCollections, type IndexedCollection } from './indexed-collections.js';
import { RelayProgress, type RelayHealth } from './relay-progress.js';

/** Between two looks at the dependencies; probes of an orchestrator come every few seconds. */
const INTERVAL_MS = 2_000;
/** A look that takes longer counts as down; below the interval, so that looks cannot pile up. */
const TIMEOUT_MS = 1_000;
/** Well above a healthy answer on one machine or one network, well below the time-out of a search. */
const SLOW_MS = 250;

export interface HealthSnapshot {
  readonly takenAt: Date;
  readonly isReady: boolean;
  /** What the service still waits for; `ready` afterwards. */
  readonly startup: string;
  readonly isDraining: boolean;
  readonly database: ProbeResult;
  /** Of the service that embeds; it is not asked for this. */
  readonly embeddingService: EmbeddingServiceState;
  readonly vectorStore: ProbeResult<StoreStatus> & { readonly source: 'local' | 'qdrant'; readonly fallback: FallbackHealth | null };
  /** One per source; empty while the store does not answer. */
  readonly collections: readonly IndexedCollection[];
  readonly relay: RelayHealth;
  readonly eventLoop: EventLoopDelay;
}

/** What answers searches while a remote index is away; `null` for an index that lives in this process. */
export interface FallbackHealth {
  readonly breaker: BreakerState;
  /** The copy that is worst off; `none` = there is none, and such searches fail. */
  readonly copy: ReplicaState | 'none';
}

/** Looks at the dependencies in the background, so that a health reply never waits for one of them. */
@Injectable()
export class HealthMonitor implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly database: DependencyProbe;
  private readonly vectorStore: DependencyProbe<StoreStatus>;
  private readonly collections: DependencyProbe<IndexedCollection[]>;
  private readonly pending: DependencyProbe<number>;
  private readonly progress: RelayProgress;
  private relayHealth: RelayHealth;
  private timer: NodeJS.Timeout | null = null;
  private isDraining = false;
  private hasBeenReady = false;

  constructor(
    lifecycle: DatabaseLifecycle,
    private readonly store: VectorStore,
    private readonly searches: SearchStore,
    private readonly readiness: SyncReadiness,
    private readonly embedders: EmbedderRegistry,
    private readonly relay: IndexRelay,
    private readonly eventLoop: EventLoopWatch,
    directory: IndexDirectory,
    sources: IndexSourceRegistry,
    private readonly clock: Clock,
  ) {
    const timing = { timeoutMs: TIMEOUT_MS, slowMs: SLOW_MS, now: () => clock.now(), monotonicMs: () => clock.monotonicMs() };
    this.database = new DependencyProbe({ ...timing, ask: () => lifecycle.ping() });
    this.vectorStore = new DependencyProbe({ ...timing, ask: (signal) => store.ping({ signal, timeoutMs: TIMEOUT_MS }) });
    const names = () => sources.all().map(({ name }) => name);
    this.collections = new DependencyProbe({
      ...timing,
      ask: (signal) => lookAtCollections(store, directory, names(), { signal, timeoutMs: TIMEOUT_MS }),
    });
    this.pending = new DependencyProbe({
      ...timing,
      ask: async () => (await Promise.all(names().map((name) => directory.pendingCount(name)))).reduce((sum, count) => sum + count, 0),
    });
    this.progress = new RelayProgress(timing.monotonicMs);
    this.relayHealth = this.progress.look(relay.status(), null);
  }

  onApplicationBootstrap(): void {
    void this.refresh();
    this.timer = setInterval(() => void this.refresh(), INTERVAL_MS);
    this.timer.unref();
  }

  beforeApplicationShutdown(): void {
    this.startDraining();
  }

  /** From now on the process is not ready; it still answers. */
  startDraining(): void {
    this.isDraining = true;
  }

  onApplicationShutdown(): void {
    if (this.timer !== null) clearInterval(this.timer);
  }

  /** Looks at all dependencies now; resolves when all have answered or timed out. */
  async refresh(): Promise<void> {
    await Promise.all(this.probes.map((probe) => probe.refresh()));
    this.lookAtRelay();
  }

  /** Looks once more, after any look that is under way; afterwards replies know at least what holds now. */
  async refreshAnew(): Promise<void> {
    await Promise.all(this.probes.map((probe) => probe.refreshAnew()));
    this.lookAtRelay();
  }

  /** What is known at this moment, without asking anybody. */
  snapshot(): HealthSnapshot {
    const database = this.database.last;
    const isStarted = this.hasStarted();
    return {
      takenAt: this.clock.now(),
      // Once started, readiness follows PostgreSQL alone: without the index, writes and most reads still work.
      isReady: isStarted && !this.isDraining && database.state !== 'down',
      startup: isStarted ? 'ready' : this.readiness.state,
      isDraining: this.isDraining,
      database,
      embeddingService: this.embedders.serviceState(),
      vectorStore: { ...this.vectorStore.last, source: this.store.source, fallback: this.fallback() },
      collections: this.collections.last.value ?? [],
      relay: this.relayHealth,
      eventLoop: this.eventLoop.delay,
    };
  }

  /** Whether the start is over; it never is undone. */
  hasStarted(): boolean {
    this.hasBeenReady ||= this.readiness.isReady;
    return this.hasBeenReady;
  }

  private get probes(): readonly DependencyProbe[] {
    return [this.database, this.vectorStore, this.collections, this.pending];
  }

  private lookAtRelay(): void {
    this.relayHealth = this.progress.look(this.relay.status(), this.pending.last.value);
  }

  private fallback(): FallbackHealth | null {
    const { breaker, replicas } = this.searches.status();
    if (breaker === null) return null;
    const worst = replicas.find(({ state }) => state !== 'ready') ?? replicas[0];
    return { breaker, copy: worst?.state ?? 'none' };
  }
}
