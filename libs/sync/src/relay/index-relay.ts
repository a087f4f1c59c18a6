import { Logger } from '@nestjs/common';
import type { IndexGeneration } from '../generations/index-generation.js';
import { claimDue } from '../ledger/claim.js';
import type { ClaimedEntry } from '../ledger/ledger-entry.js';
import { pause } from '../pause.js';
import { describeFailure, RelayStoppedError } from './classify-failure.js';
import { Lease } from './lease.js';
import { ProviderGate } from './provider-gate.js';
import { ProviderRamp } from './provider-ramp.js';
import { LAG_BOUNDS_MS, RelayCounters } from './relay-counters.js';
import type { PassContext, RelayContext } from './relay-context.js';
import { RelayPass } from './relay-pass.js';
import type { RelayStatus } from './relay-status.js';
import { addSummary, emptySummary, type RunSummary } from './run-summary.js';

/** While one batch is sent and acknowledged, the embedder works on the other one; a third would only lengthen leases. */
const CONCURRENT_CLAIMS = 2;
/** A change that was committed by another process is found within this, while there is traffic … */
const POLL_MIN_MS = 100;
/** … and within this after a quiet while. */
const POLL_MAX_MS = 1_000;
const CLAIM_ERROR_PAUSE_MS = 1_000;
/** After a batch of which nothing came through because a provider is away: else a backlog would be claimed and put back at full speed. */
const STALL_PAUSE_MS = 1_000;
/** How long a write must be ago to say nothing about the store any more. */
const STORE_SUCCESS_MAX_AGE_MS = 60_000;
const STOP_GRACE_DEFAULT_MS = 10_000;
/** After the grace: aborting and releasing is a few statements. */
const RELEASE_MARGIN_MS = 2_000;

export type CollectionMissingListener = (generation: IndexGeneration) => void;

/**
 * Brings the index to the state of the rows: claims due ledger entries, reads the rows as they are now, and writes them, fenced.
 *
 * Any number of relays, in one process or many, may work on one database. Delivery is at least once with an idempotent effect.
 */
export class IndexRelay {
  readonly counters = new RelayCounters();
  private readonly logger = new Logger('IndexRelay');
  private readonly context: PassContext;
  private readonly storeGate: ProviderGate;
  private readonly storeRamp: ProviderRamp;
  private readonly embedderGates = new Map<string, ProviderGate>();
  private readonly inFlight = new Map<Promise<void>, readonly RelayPass[]>();
  private readonly listeners: CollectionMissingListener[] = [];
  private stalledUntilMs = Number.NEGATIVE_INFINITY;
  private lastStoreSuccessMs = Number.NEGATIVE_INFINITY;
  private loop: Promise<void> | null = null;
  private stopping = new AbortController();
  private isWoken = false;
  private wakeWaiter: (() => void) | null = null;

  constructor(context: RelayContext) {
    const newGate = (): ProviderGate => new ProviderGate(context.clock, context.random);
    this.storeGate = newGate();
    this.storeRamp = new ProviderRamp(this.storeGate);
    this.context = {
      ...context,
      storeGate: this.storeGate,
      embedderGate: (modelRev) => {
        const gate = this.embedderGates.get(modelRev) ?? newGate();
        this.embedderGates.set(modelRev, gate);
        return gate;
      },
      onStoreSuccess: () => {
        this.lastStoreSuccessMs = context.clock.monotonicMs();
        this.storeGate.succeed();
      },
      hasStoreSucceededLately: () => context.clock.monotonicMs() - this.lastStoreSuccessMs < STORE_SUCCESS_MAX_AGE_MS,
      onRecorded: (lagMs) => this.counters.observeLag(lagMs),
      onCollectionMissing: (generation) => this.listeners.forEach((listener) => listener(generation)),
      wake: () => this.wake(),
    };
  }

  get isRunning(): boolean {
    return this.loop !== null;
  }

  /** How this relay stands now. */
  status(): RelayStatus {
    const { storeGate, storeRamp, counters } = this;
    return {
      isRunning: this.isRunning,
      counts: counters.counts(),
      lag: { boundsMs: LAG_BOUNDS_MS, counts: [...counters.lagHistogram], sumMs: counters.lagSumMs },
      store: {
        phase: storeRamp.phase,
        pausedForMs: storeGate.remainingMs,
        batchLimit: storeRamp.batchLimit(this.context.settings.batchSize),
      },
      embedders: [...this.embedderGates]
        .filter(([, gate]) => gate.isClosed)
        .map(([modelRev, gate]) => ({ modelRev, pausedForMs: gate.remainingMs })),
      retryBudgets: [],
      inFlight: this.inFlight.size,
    };
  }

  /** Calls the listener when a write finds no collection. The listener must not throw. */
  onCollectionMissing(listener: CollectionMissingListener): void {
    this.listeners.push(listener);
  }

  /** Works in the background until {@link stop}; a second call does nothing. */
  start(): void {
    if (this.loop !== null) return;
    this.stopping = new AbortController();
    this.loop = this.work(this.stopping.signal);
  }

  /**
   * Stops claiming, lets what is in flight finish within the grace, then aborts the rest and releases its leases. Idempotent; never rejects.
   *
   * @param graceMs default 10,000
   */
  async stop(graceMs = STOP_GRACE_DEFAULT_MS): Promise<void> {
    const { loop } = this;
    if (loop === null) return;
    this.stopping.abort(new RelayStoppedError());
    this.wake();
    await loop;
    await this.settleInFlight(graceMs);
    for (const passes of this.inFlight.values()) for (const pass of passes) pass.abort(new RelayStoppedError());
    await this.settleInFlight(RELEASE_MARGIN_MS);
    this.loop = null;
  }

  /** Makes a running relay claim at once. Cheap; never throws. */
  wake(): void {
    this.isWoken = true;
    this.wakeWaiter?.();
  }

  /** Claims one batch and brings it to its end; resolves when nothing of it is in flight. */
  async runOnce(): Promise<RunSummary> {
    const passes = await this.claim();
    const total = emptySummary();
    for (const summary of await Promise.all(passes.map((pass) => pass.run()))) addSummary(total, summary);
    this.count(passes.length > 0, total);
    return total;
  }

  /** Leases the entries that are due, as one pass per generation; the caller runs them, or steps through them. */
  async claim(limit = this.context.settings.batchSize): Promise<RelayPass[]> {
    const { catalog, clock, ids, settings, sources, unitOfWork } = this.context;
    const known = new Map(sources.all().map((source) => [source.name, source]));
    const generations = (await catalog.listAttached()).filter(({ source }) => known.has(source));
    if (generations.length === 0) return [];
    const token = ids.uuid();
    // Before the claim is sent, so that this clock ends before the lease in the database does.
    const startedAtMs = clock.monotonicMs();
    const generationIds = generations.map(({ id }) => id);
    const entries = await claimDue(unitOfWork, { generationIds, limit, token, leaseMs: settings.leaseMs });
    const groups = new Map<number, ClaimedEntry[]>();
    for (const entry of entries) {
      const group = groups.get(entry.generationId);
      if (group === undefined) groups.set(entry.generationId, [entry]);
      else group.push(entry);
    }
    return generations
      .filter(({ id }) => groups.has(id))
      .map((generation) => {
        const lease = new Lease(token, settings.leaseMs, clock, startedAtMs);
        return new RelayPass(this.context, generation, known.get(generation.source)!, groups.get(generation.id)!, lease);
      });
  }

  private async work(signal: AbortSignal): Promise<void> {
    let pollMs = POLL_MIN_MS;
    while (!signal.aborted) {
      if (this.inFlight.size >= CONCURRENT_CLAIMS) {
        await Promise.race(this.inFlight.keys());
        continue;
      }
      const blockedMs = Math.max(this.storeGate.remainingMs, this.stalledUntilMs - this.context.clock.monotonicMs());
      if (blockedMs > 0) {
        await pause(blockedMs, signal).catch(() => undefined);
        continue;
      }
      this.isWoken = false;
      const claimed = await this.claimAndRun(signal);
      if (claimed >= this.context.settings.batchSize) continue;
      pollMs = claimed > 0 ? POLL_MIN_MS : Math.min(2 * pollMs, POLL_MAX_MS);
      await this.sleep(pollMs, signal);
      if (this.isWoken) pollMs = POLL_MIN_MS;
    }
  }

  /** Claims, and runs what it got in the background; returns how many entries that is. */
  private async claimAndRun(signal: AbortSignal): Promise<number> {
    let passes: RelayPass[];
    try {
      passes = await this.claim();
    } catch (error) {
      this.counters.claimErrors++;
      this.logger.warn(`The ledger cannot be read: ${describeFailure(error).message}`);
      await pause(CLAIM_ERROR_PAUSE_MS, signal).catch(() => undefined);
      return 0;
    }
    if (passes.length === 0) {
      this.count(false, emptySummary());
      return 0;
    }
    const running = this.runInBackground(passes).finally(() => this.inFlight.delete(running));
    this.inFlight.set(running, passes);
    return passes.reduce((sum, { entries }) => sum + entries.length, 0);
  }

  private async runInBackground(passes: readonly RelayPass[]): Promise<void> {
    const total = emptySummary();
    for (const summary of await Promise.all(passes.map((pass) => pass.run()))) addSummary(total, summary);
    const hasProgressed = total.synced + total.skipped + total.deleted + total.purged > 0;
    if (total.paused > 0 && !hasProgressed) this.stalledUntilMs = this.context.clock.monotonicMs() + STALL_PAUSE_MS;
    this.count(true, total);
  }

  private async sleep(durationMs: number, signal: AbortSignal): Promise<void> {
    if (this.isWoken) return;
    const woken = new AbortController();
    this.wakeWaiter = () => woken.abort();
    await pause(durationMs, AbortSignal.any([signal, woken.signal])).catch(() => undefined);
    this.wakeWaiter = null;
  }

  private async settleInFlight(withinMs: number): Promise<void> {
    if (this.inFlight.size === 0) return;
    const done = new AbortController();
    await Promise.race([Promise.all(this.inFlight.keys()), pause(withinMs, done.signal).catch(() => undefined)]);
    done.abort();
  }

  private count(hasWork: boolean, summary: RunSummary): void {
    if (hasWork) this.counters.passes++;
    else this.counters.emptyClaims++;
    for (const key of Object.keys(summary) as (keyof RunSummary)[]) this.counters[key] += summary[key];
  }
}
