import { crashPoint, RepeatedMessages } from '#kernel';
import { Logger } from '@nestjs/common';
import type { IndexGeneration } from '../generations/index-generation.js';
import type { IndexSource } from '../index-source.js';
import { claimDue } from '../ledger/claim.js';
import { pause } from '../pause.js';
import { describeFailure, RelayStoppedError } from './classify-failure.js';
import { GenerationLane } from './generation-lane.js';
import { Lease } from './lease.js';
import { RelayCounters } from './relay-counters.js';
import type { PassContext, RelayContext } from './relay-context.js';
import { RelayPass } from './relay-pass.js';
import { RelayProviders } from './relay-providers.js';
import type { RelayStatus } from './relay-status.js';
import { addSummary, emptySummary, type RunSummary } from './run-summary.js';

/** A change that was committed by another process is found within this, while there is traffic … */
const POLL_MIN_MS = 100;
/** … and within this after a quiet while. */
const POLL_MAX_MS = 1_000;
const CLAIM_ERROR_PAUSE_MS = 1_000;
const STOP_GRACE_DEFAULT_MS = 10_000;
/** After the grace: aborting and releasing is a few statements. */
const RELEASE_MARGIN_MS = 2_000;

/** A generation that this process can write, and its room here. */
interface Workplace {
  readonly generation: IndexGeneration;
  readonly source: IndexSource;
  readonly lane: GenerationLane;
}

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
  private readonly providers: RelayProviders;
  private readonly lanes = new Map<number, GenerationLane>();
  private readonly inFlight = new Map<Promise<void>, RelayPass>();
  private readonly messages: RepeatedMessages;
  private readonly listeners: CollectionMissingListener[] = [];
  private readonly recordedListeners: ((sourceId: string) => void)[] = [];
  private loop: Promise<void> | null = null;
  private stopping = new AbortController();
  private isWoken = false;
  private wakeWaiter: (() => void) | null = null;

  constructor(context: RelayContext) {
    this.providers = new RelayProviders(context.clock, context.random);
    this.messages = new RepeatedMessages(context.clock);
    this.context = {
      ...context,
      providers: this.providers,
      messages: this.messages,
      warn: (key, message) => {
        const line = this.messages.pass(key, message);
        if (line !== null) this.logger.warn(line);
      },
      onRecorded: (lagMs, sourceId) => {
        this.counters.lag.observe(lagMs);
        this.recordedListeners.forEach((listener) => listener(sourceId));
      },
      onCollectionMissing: (generation) => this.listeners.forEach((listener) => listener(generation)),
      wake: () => this.wake(),
    };
  }

  get isRunning(): boolean {
    return this.loop !== null;
  }

  /** How this relay stands now. */
  status(): RelayStatus {
    const { counters, providers } = this;
    return {
      isRunning: this.isRunning,
      counts: counters.counts(),
      lag: counters.lag.snapshot(),
      ...providers.status(this.context.settings.batchSize),
      retryBudgets: [...this.lanes].map(([generationId, { budget }]) => ({ generationId, ...budget.status() })),
      inFlight: this.inFlight.size,
    };
  }

  /** Calls the listener when a write finds no collection. The listener must not throw. */
  onCollectionMissing(listener: CollectionMissingListener): void {
    this.listeners.push(listener);
  }

  /** Calls the listener with each row whose outcome was recorded, after the commit. The listener must not throw. */
  onRecorded(listener: (sourceId: string) => void): void {
    this.recordedListeners.push(listener);
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
    for (const pass of this.inFlight.values()) pass.abort(new RelayStoppedError());
    await this.settleInFlight(RELEASE_MARGIN_MS);
    this.loop = null;
  }

  /** Makes a running relay claim at once. Cheap; never throws. */
  wake(): void {
    this.isWoken = true;
    this.wakeWaiter?.();
  }

  /**
   * Claims one batch of each generation and brings it to its end; resolves when nothing of it is in flight. Does nothing while the store is paused, and
   * no more than the one small batch that its ramp allows after that.
   */
  async runOnce(): Promise<RunSummary> {
    const total = emptySummary();
    const { storeGate, storeRamp } = this.providers;
    if (storeGate.isClosed) return total;
    const passes = await this.claimFrom(await this.listLanes(), storeRamp.phase !== 'open');
    await Promise.all(passes.map((pass) => this.run(pass)));
    for (const { summary } of passes) addSummary(total, summary);
    return total;
  }

  /**
   * Leases entries that are due, as one pass per generation; the caller runs them, or steps through them.
   *
   * @param limit entries of a batch; retries and tombstones may add a quarter
   */
  async claim(limit?: number): Promise<RelayPass[]> {
    return this.claimFrom(await this.listLanes(), false, limit);
  }

  /** @param isOne whether the first generation that has anything due is enough */
  private async claimFrom(
    workplaces: readonly Workplace[],
    isOne: boolean,
    limit = this.providers.storeRamp.batchLimit(this.context.settings.batchSize),
  ): Promise<RelayPass[]> {
    const passes: RelayPass[] = [];
    for (const workplace of workplaces) {
      const pass = await this.claimOf(workplace, limit);
      if (pass === null) continue;
      passes.push(pass);
      if (isOne) break;
    }
    if (passes.length === 0 && workplaces.length > 0) this.counters.emptyClaims++;
    return passes;
  }

  private async claimOf({ generation, source, lane }: Workplace, limit: number): Promise<RelayPass | null> {
    const { clock, ids, settings, unitOfWork } = this.context;
    const token = ids.uuid();
    const ticket = this.providers.storeRamp.ticket();
    // Before the claim is sent, so that this clock ends before the lease in the database does.
    const startedAtMs = clock.monotonicMs();
    const request = { generationId: generation.id, entries: limit, retries: lane.budget.available, token, leaseMs: settings.leaseMs };
    const entries = await claimDue(unitOfWork, request);
    const lease = new Lease(token, settings.leaseMs, clock, startedAtMs);
    const pass = entries.length === 0 ? null : new RelayPass(this.context, generation, source, entries, lease, ticket);
    lane.claimed(pass, limit);
    if (pass !== null) crashPoint('relay.claimed');
    return pass;
  }

  /** The generations that this process can write, the one that answers queries first. */
  private async listLanes(): Promise<Workplace[]> {
    const { catalog, clock, settings, sources } = this.context;
    const known = new Map(sources.all().map((source) => [source.name, source]));
    const generations = (await catalog.listAttached()).filter(({ source }) => known.has(source));
    const isServing = ({ state }: IndexGeneration): number => (state === 'serving' ? 0 : 1);
    return generations
      .sort((a, b) => isServing(a) - isServing(b))
      .map((generation) => {
        const lane = this.lanes.get(generation.id) ?? new GenerationLane(clock, settings.batchSize);
        this.lanes.set(generation.id, lane);
        return { generation, source: known.get(generation.source)!, lane };
      });
  }

  private async work(signal: AbortSignal): Promise<void> {
    const { storeGate, storeRamp } = this.providers;
    let pollMs = POLL_MIN_MS;
    while (!signal.aborted) {
      if (storeGate.isClosed) {
        await pause(storeGate.remainingMs, signal).catch(() => undefined);
        continue;
      }
      const isRamping = storeRamp.phase !== 'open';
      if (isRamping && this.inFlight.size > 0) {
        await Promise.race(this.inFlight.keys());
        continue;
      }
      this.isWoken = false;
      const claimed = await this.claimInBackground(signal, isRamping);
      if (claimed > 0 && (isRamping || [...this.lanes.values()].some(({ hasMore }) => hasMore))) continue;
      pollMs = claimed > 0 ? POLL_MIN_MS : Math.min(2 * pollMs, POLL_MAX_MS);
      await this.sleep(pollMs, signal);
      if (this.isWoken) pollMs = POLL_MIN_MS;
    }
  }

  /** Claims, and runs what it got in the background; returns how many entries that is. */
  private async claimInBackground(signal: AbortSignal, isRamping: boolean): Promise<number> {
    let passes: RelayPass[];
    try {
      const withRoom = (await this.listLanes()).filter(({ lane }) => lane.hasRoom);
      passes = await this.claimFrom(withRoom, isRamping);
      this.messages.clear('claim');
    } catch (error) {
      this.counters.claimErrors++;
      this.context.warn('claim', `The ledger cannot be read: ${describeFailure(error).message}`);
      await pause(CLAIM_ERROR_PAUSE_MS, signal).catch(() => undefined);
      return 0;
    }
    for (const pass of passes) {
      const running = this.run(pass).finally(() => {
        this.inFlight.delete(running);
        // Its room is free: nobody should sleep while there is more.
        if (this.lanes.get(pass.generation.id)?.hasMore === true) this.wake();
      });
      this.inFlight.set(running, pass);
    }
    return passes.reduce((sum, { entries }) => sum + entries.length, 0);
  }

  private async run(pass: RelayPass): Promise<void> {
    const { storeGate, storeRamp } = this.providers;
    const lane = this.lanes.get(pass.generation.id);
    const wasProbing = storeRamp.phase === 'probing';
    lane?.begin(pass);
    await pass.run();
    lane?.end(pass);
    if (pass.steps.hasReachedStore) storeRamp.succeed(pass.ticket, this.context.settings.batchSize);
    if (wasProbing && storeRamp.phase !== 'probing' && !storeGate.isClosed) {
      this.messages.clear('store');
      this.logger.log('The vector store answers again');
    }
    this.counters.passes++;
    this.counters.add(pass.summary);
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
}
