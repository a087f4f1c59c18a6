import type { RelayUnitOfWork } from '#database';
import type { Clock } from '#kernel';
import type { VectorStore } from '#vector-store';
import { Logger } from '@nestjs/common';
import type { IndexSourceRegistry } from '../index-source-registry.js';
import { KeepTrying } from '../keep-trying.js';
import type { SyncLeases } from '../leases/sync-leases.js';
import { pause } from '../pause.js';
import type { IndexRelay } from '../relay/index-relay.js';
import { untilAborted } from '../until-aborted.js';
import { GenerationRetiredError, type CollectionAttacher } from './collection-attacher.js';
import { failAbandonedGates } from './gate-reports.js';
import type { GenerationCatalog } from './generation-catalog.js';
import type { GenerationFiller } from './generation-filler.js';
import type { GenerationRecord } from './generation-record.js';
import type { IndexGeneration } from './index-generation.js';
import type { ModelKeeper } from './model-keeper.js';
import { getGenerationRecord, listUndroppedGenerations } from './read-generation-records.js';
import type { RetiredCollections } from './retired-collections.js';
import type { ServingAlias } from './serving-alias.js';

export interface GenerationSupervisorParts {
  readonly unitOfWork: RelayUnitOfWork;
  readonly store: VectorStore;
  readonly models: ModelKeeper;
  readonly sources: IndexSourceRegistry;
  readonly catalog: GenerationCatalog;
  readonly filler: GenerationFiller;
  readonly attacher: CollectionAttacher;
  readonly alias: ServingAlias;
  readonly retired: RetiredCollections;
  readonly leases: SyncLeases;
  readonly relay: IndexRelay;
  readonly clock: Clock;
  /** Pause between two looks. Default 1,000. */
  readonly intervalMs?: number;
  /** How long the right to fill outlives a process that dies. Default 10,000. */
  readonly fillLeaseMs?: number;
}

const INTERVAL_DEFAULT_MS = 1_000;
const FILL_LEASE_DEFAULT_MS = 10_000;
/** A collection that comes soon is waited for: what is entered afterwards need not be marked again. */
const COLLECTION_FIRST_MS = 5_000;
/** Between two looks at what only an outsider, or a process that died, can have put wrong. */
const UPKEEP_MS = 60_000;

/**
 * Brings every generation of this process's sources to where its row says it should be, whoever has changed the row: new ones are filled (by one
 * process) and attached (by each), a switch is followed by the alias and the model, retired ones are let go and, after the grace, removed.
 */
export class GenerationSupervisor {
  private readonly logger = new Logger('Generations');
  private readonly stopping = new AbortController();
  private readonly trying: KeepTrying;
  private readonly bringingUp = new Map<number, Promise<number>>();
  /** Work that a look has begun, by name: the next look does not begin it twice. */
  private readonly underWay = new Map<string, Promise<void>>();
  private readonly fills = new Map<number, AbortController>();
  private readonly servingIds = new Map<string, number>();
  private upkeepAtMs = Number.NEGATIVE_INFINITY;
  private opening: Promise<void> | null = null;
  /** Ends when the store has lost points: whatever was attached or compared until then is void. */
  private era = new AbortController();
  private loop: Promise<void> = Promise.resolve();
  private wakeWaiter: (() => void) | null = null;
  private isWoken = false;
  private endSubscription: () => void = () => undefined;

  constructor(private readonly parts: GenerationSupervisorParts) {
    this.trying = new KeepTrying(this.logger, parts.clock, this.stopping.signal);
  }

  /** Looks at once, then about once a second, until {@link stop}. Call it once. */
  start(): void {
    if (this.stopping.signal.aborted) return;
    this.parts.relay.onCollectionMissing((generation) => this.bringUpAgain(generation));
    this.endSubscription = this.parts.store.onLost((cause) => this.reopen(cause));
    this.loop = this.run();
  }

  /** Makes it look at once. Cheap; never throws. */
  wake(): void {
    this.isWoken = true;
    this.wakeWaiter?.();
  }

  /** Calls off what is under way; resolves when nothing is. Idempotent; never rejects. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('The engine is stopping'));
    this.endSubscription();
    await Promise.allSettled([this.loop, ...this.bringingUp.values(), ...this.underWay.values()]);
  }

  /** Opens the store and attaches the generations; resolves with the number of entries that have to be written again. */
  async bringUpAll(generations: readonly IndexGeneration[]): Promise<number> {
    const marked = await Promise.all(generations.map((generation) => this.bringUp(generation)));
    return marked.reduce((sum, count) => sum + count, 0);
  }

  /** Loads the model of the generation; whoever asks meanwhile shares that. */
  loadModel(generation: IndexGeneration): Promise<void> {
    return this.parts.models.warm(generation);
  }

  /** One look at all generations; what takes time goes on in the background. */
  async look(): Promise<void> {
    const { sources, unitOfWork } = this.parts;
    const names = new Set(sources.all().map(({ name }) => name));
    const records = (await listUndroppedGenerations(unitOfWork)).filter(({ source }) => names.has(source));
    const isUpkeepDue = this.parts.clock.monotonicMs() - this.upkeepAtMs >= UPKEEP_MS;
    if (isUpkeepDue) this.upkeepAtMs = this.parts.clock.monotonicMs();
    for (const record of records) {
      if (record.state === 'retired') this.letGo(record);
      else this.attend(record);
      if (record.state === 'serving') this.followAlias(record, isUpkeepDue);
    }
    await this.parts.models.release(records);
    if (records.some(({ state }) => state === 'retired')) this.once('The removal of a retired generation', () => this.removeRetired());
    const isGateRunning = records.some(({ gateReport }) => gateReport?.status === 'running');
    if (isGateRunning) this.once('The look after gates', () => this.failAbandonedGates());
    if (isUpkeepDue) this.once('The sweep of entries', () => this.parts.retired.sweep(this.stopping.signal));
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      this.isWoken = false;
      try {
        await this.look();
      } catch (error) {
        this.trying.warn('The generations cannot be looked at, trying again', error);
      }
      await this.sleep(this.parts.intervalMs ?? INTERVAL_DEFAULT_MS);
    }
  }

  private attend(record: GenerationRecord): void {
    const { catalog, models } = this.parts;
    if (!catalog.isAttached(record.id)) this.once(`Attaching generation ${record.id}`, async () => void (await this.bringUp(record)));
    if (record.filledAt === null) this.once(`The fill of generation ${record.id}`, () => this.fill(record));
    if (models.isNeeded(record))
      this.once(`Loading the model ${record.modelRev}`, () => untilAborted(models.warm(record), this.stopping.signal));
  }

  /** After a switch, and now and then: an outsider may have moved it. Not before the collection is there, which sets it, too. */
  private followAlias(record: GenerationRecord, isUpkeepDue: boolean): void {
    const hasSwitched = this.servingIds.get(record.source) !== record.id;
    if (hasSwitched) this.parts.catalog.invalidate();
    if (!this.parts.catalog.isAttached(record.id) || !(hasSwitched || isUpkeepDue)) return;
    this.servingIds.set(record.source, record.id);
    this.once(`The alias of ${record.source}`, () => this.repairAlias(record.source));
  }

  private letGo(record: GenerationRecord): void {
    this.fills.get(record.id)?.abort(new GenerationRetiredError(record.id));
    this.parts.catalog.detach(record.id);
  }

  private async fill({ id, source, state }: IndexGeneration): Promise<void> {
    const { catalog, filler, leases, relay, sources, unitOfWork, fillLeaseMs = FILL_LEASE_DEFAULT_MS } = this.parts;
    const attaching = this.bringingUp.get(id);
    if (state === 'building' && attaching !== undefined && !catalog.isAttached(id)) {
      await Promise.race([attaching, pause(COLLECTION_FIRST_MS, this.stopping.signal)]);
    }
    const lease = await leases.acquire(`fill:${id}`, fillLeaseMs);
    if (lease === null) return;
    const retirement = new AbortController();
    this.fills.set(id, retirement);
    try {
      // Another process may have filled it while this one waited.
      const generation = await getGenerationRecord(unitOfWork, id);
      if (generation === null || generation.filledAt !== null || generation.state === 'retired') return;
      const signal = AbortSignal.any([this.stopping.signal, lease.signal, retirement.signal]);
      await filler.fill(generation, sources.get(source), { signal });
      relay.wake();
    } catch (error) {
      if (!retirement.signal.aborted) throw error;
    } finally {
      this.fills.delete(id);
      await lease.release();
    }
  }

  /** Lets the relay at a generation as soon as its collection is ready; one at a time per generation. */
  private bringUp(generation: IndexGeneration): Promise<number> {
    const known = this.bringingUp.get(generation.id);
    if (known !== undefined) return known;
    const bringing = this.attach(generation).finally(() => this.bringingUp.delete(generation.id));
    this.bringingUp.set(generation.id, bringing);
    return bringing;
  }

  private async attach(generation: IndexGeneration): Promise<number> {
    const { attacher, relay, sources } = this.parts;
    const marked = await this.trying.run(`The collection ${generation.collection} is not ready`, async () => {
      const signal = AbortSignal.any([this.stopping.signal, this.era.signal]);
      await this.open();
      try {
        return (await attacher.attach(generation, sources.get(generation.source), signal)).marked;
      } catch (error) {
        if (error instanceof GenerationRetiredError) return 0;
        throw error;
      }
    });
    relay.wake();
    return marked;
  }

  /** Opens the store, once for all who need it, and again only after it was lost. */
  private open(): Promise<void> {
    this.opening ??= this.trying
      .run('The vector store cannot be opened', () => this.parts.store.open())
      .catch((error: unknown) => {
        this.opening = null;
        throw error;
      });
    return this.opening;
  }

  private bringUpAgain(generation: IndexGeneration): void {
    if (this.stopping.signal.aborted) return;
    this.parts.catalog.detach(generation.id);
    this.once(`Attaching generation ${generation.id}`, async () => void (await this.bringUp(generation)));
  }

  /** What the store loads now may be older than what it had acknowledged, so it is compared before anything is written. */
  private reopen(cause: Error): void {
    if (this.stopping.signal.aborted) return;
    this.logger.error(`The vector store has lost points and is opened again: ${cause.message}`);
    this.era.abort(cause);
    this.era = new AbortController();
    this.opening = null;
    this.parts.catalog.detachAll();
    this.wake();
  }

  private async repairAlias(source: string): Promise<void> {
    try {
      await this.open();
      await this.parts.alias.repair(source);
    } catch (error) {
      // The next look tries again.
      this.servingIds.delete(source);
      throw error;
    }
  }

  private async removeRetired(): Promise<void> {
    await this.parts.retired.removeDue(this.stopping.signal);
  }

  private async failAbandonedGates(): Promise<void> {
    for (const id of await failAbandonedGates(this.parts.unitOfWork))
      this.logger.warn(`The gate of generation ${id} was cut off; run it again`);
  }

  private once(name: string, work: () => Promise<void>): void {
    if (this.underWay.has(name) || this.stopping.signal.aborted) return;
    const running = work()
      .catch((error: unknown) => this.trying.warn(`${name} has failed, trying again`, error))
      .finally(() => this.underWay.delete(name));
    this.underWay.set(name, running);
  }

  private async sleep(durationMs: number): Promise<void> {
    if (this.isWoken) return;
    const woken = new AbortController();
    this.wakeWaiter = () => woken.abort();
    await pause(durationMs, AbortSignal.any([this.stopping.signal, woken.signal])).catch(() => undefined);
    this.wakeWaiter = null;
  }
}
