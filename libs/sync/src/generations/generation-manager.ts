import type { RelayUnitOfWork, WithinWrite } from '#database';
import { crashPoint, DomainError } from '#kernel';
import type { VectorStore } from '#vector-store';
import { Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { IndexRelay } from '../relay/index-relay.js';
import type { GateReport } from './gate-report.js';
import type { GenerationCatalog } from './generation-catalog.js';
import type { GenerationChange, GenerationCreator } from './generation-creator.js';
import { describeReasons, type GateOptions, type GenerationGate } from './generation-gate.js';
import type { GenerationPlan } from './generation-planner.js';
import type { GenerationRecord } from './generation-record.js';
import type { GenerationSupervisor } from './generation-supervisor.js';
import { notFoundError, pairOf, previousOf, retiredError } from './choose-generations.js';
import { readProgress, type GenerationProgress } from './read-progress.js';
import { getGenerationRecord, listGenerationRecords } from './read-generation-records.js';
import { retireGeneration } from './retire-generation.js';
import type { ServingAlias } from './serving-alias.js';
import { assertSwitchConditions, isGateFresh } from './switch-conditions.js';
import { GenerationSwitchRefusedError, switchServing, type SwitchRequest } from './switch-serving.js';

export interface GenerationManagerParts {
  readonly unitOfWork: RelayUnitOfWork;
  readonly store: VectorStore;
  readonly catalog: GenerationCatalog;
  readonly relay: IndexRelay;
  readonly gate: GenerationGate;
  readonly creator: GenerationCreator;
  readonly alias: ServingAlias;
  readonly supervisor: GenerationSupervisor;
}

/** What operators do with generations: build one beside the one that serves, let it serve, go back, and end one. */
export class GenerationManager implements BeforeApplicationShutdown {
  private readonly logger = new Logger('GenerationManager');
  private readonly stopping = new AbortController();
  private readonly background = new Set<Promise<unknown>>();

  constructor(private readonly parts: GenerationManagerParts) {}

  async beforeApplicationShutdown(): Promise<void> {
    await this.stop();
  }

  /** Cuts gates off that run in the background. Idempotent; never rejects. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('The engine is stopping'));
    await Promise.allSettled(this.background);
  }

  /** All generations, in ascending order of id. */
  list({ includeRetired = false }: { readonly includeRetired?: boolean } = {}): Promise<GenerationRecord[]> {
    return listGenerationRecords(this.parts.unitOfWork, includeRetired);
  }

  /** @throws DomainError `generations.not-found` */
  async get(id: number): Promise<GenerationRecord> {
    const record = await getGenerationRecord(this.parts.unitOfWork, id);
    if (record === null) throw notFoundError(id);
    return record;
  }

  /**
   * Says what a new generation would cost, changing nothing.
   *
   * @throws DomainError `generations.not-found` for an unknown source, `generations.model-unusable`
   */
  plan(source: string, change: GenerationChange = {}, signal: AbortSignal = this.stopping.signal): Promise<GenerationPlan> {
    return this.parts.creator.plan(source, change, signal);
  }

  /**
   * Creates a generation beside the one that serves. Its row is all this writes: filling, collection and points follow by themselves, whoever dies.
   *
   * @param reason why, for the people who see it later
   * @param within is committed together with the row
   * @throws DomainError `generations.not-found` for an unknown source, `generations.conflict` while one is being built, `generations.model-unusable`,
   *   `search.not-ready` before the source has a serving one
   */
  async create(
    source: string,
    change: GenerationChange = {},
    reason: string | null = null,
    within?: WithinWrite<GenerationRecord>,
  ): Promise<GenerationRecord> {
    const id = await this.parts.creator.create(source, change, reason, within);
    this.parts.supervisor.wake();
    return this.get(id);
  }

  /** @throws DomainError `generations.not-found` */
  async progress(id: number): Promise<GenerationProgress> {
    const progress = await readProgress(this.parts.unitOfWork, id);
    if (progress === null) throw notFoundError(id);
    return progress;
  }

  /**
   * Reads the index of the generation and says whether it may serve, with all reasons against it; the report is stored with the generation.
   *
   * @throws DomainError `generations.not-found`, `generations.retired`, `generations.conflict` while a gate of it runs
   */
  async gate(id: number, options: GateOptions = {}): Promise<GateReport> {
    const running = await this.parts.gate.begin(await this.getLive(id), options);
    return this.inBackground(running.finish(this.stopping.signal));
  }

  /** Begins a gate and returns its report so far (`running`); {@link get} has it when it has ended. Errors as for {@link gate}. */
  async startGate(id: number, options: GateOptions = {}): Promise<GateReport> {
    const running = await this.parts.gate.begin(await this.getLive(id), options);
    this.inBackground(running.finish(this.stopping.signal)).catch((error: unknown) => {
      this.logger.warn(`The gate of generation ${id} has failed: ${error instanceof Error ? error.message : String(error)}`);
    });
    return running.report;
  }

  /**
   * Lets the generation answer queries, in one transaction; every replica follows within a second. Runs the gate first, unless one has passed within
   * 15 minutes. The one that served becomes standby, and is still written to.
   *
   * @throws DomainError `generations.gate-refused` with all reasons, `generations.conflict` when somebody else acts, `generations.retired`,
   *   `generations.not-found`, `search.index-unavailable`
   */
  async switchTo(id: number, { isForced = false }: GateOptions = {}): Promise<GenerationRecord> {
    const { unitOfWork } = this.parts;
    const { from, to } = pairOf(await this.list({ includeRetired: true }), id);
    if (!(await isGateFresh(unitOfWork, id))) {
      const report = await this.gate(id, { isForced });
      if (!report.passed) throw new DomainError('generations.gate-refused', { detail: describeReasons(report.reasons) });
    }
    await this.assertCollection(to);
    await this.exchange({
      fromId: from.id,
      toId: id,
      expected: to.state as SwitchRequest['expected'],
      verify: (session) => assertSwitchConditions(session, id, isForced),
    });
    return this.get(id);
  }

  /**
   * Lets a standby generation answer queries again, at once and without a gate: it was written all along, so nothing is lost. Only one that is being
   * healed, or whose collection is gone, is refused.
   *
   * @param back the generation to go back to, or a source; default: the one that served last of those older than the serving one
   * @throws DomainError `generations.retired`, `generations.conflict` when somebody else acts or there is nothing to go back to,
   *   `generations.gate-refused`, `generations.not-found`
   */
  async rollback(back?: number | { readonly source: string }): Promise<GenerationRecord> {
    const all = await this.list({ includeRetired: true });
    const { from, to } = pairOf(all, typeof back === 'number' ? back : previousOf(all, back?.source));
    if (to.state === 'building') {
      throw new DomainError('generations.conflict', { detail: `Generation ${to.id} has never served; switch to it instead` });
    }
    await this.assertUsable(to);
    await this.exchange({ fromId: from.id, toId: to.id, expected: 'standby' });
    return this.get(to.id);
  }

  /**
   * Ends a generation that does not serve, for good: it is not written to any more, and after the grace its collection and entries are removed.
   *
   * @throws DomainError `generations.conflict` for the serving one, `generations.retired` for one that is already, `generations.not-found`
   */
  async retire(id: number): Promise<GenerationRecord> {
    const { catalog, supervisor, unitOfWork } = this.parts;
    await this.getLive(id);
    const isOurs = await retireGeneration(unitOfWork, id);
    catalog.invalidate();
    if (!isOurs) {
      const { state } = await this.getLive(id);
      throw new DomainError('generations.conflict', { detail: `Generation ${id} is ${state}; let another one serve first` });
    }
    catalog.detach(id);
    crashPoint('generation.retired');
    supervisor.wake();
    this.logger.log(`Generation ${id} is retired`);
    return this.get(id);
  }

  private async exchange(request: SwitchRequest): Promise<void> {
    const { alias, catalog, relay, supervisor, unitOfWork } = this.parts;
    crashPoint('generation.before-switch');
    try {
      await switchServing(unitOfWork, request);
    } catch (error) {
      catalog.invalidate();
      if (!(error instanceof GenerationSwitchRefusedError)) throw error;
      throw new DomainError('generations.conflict', { detail: `${error.message} any more; somebody else has acted`, cause: error });
    }
    crashPoint('generation.after-switch');
    catalog.invalidate();
    const { source } = await this.get(request.toId);
    this.logger.log(`Generation ${request.toId} of ${source} serves, ${request.fromId} stands by`);
    // The switch is done, whatever becomes of the alias: the supervisor repairs it.
    await alias.repair(source).catch((error: unknown) => {
      this.logger.warn(`The alias of ${source} follows later: ${error instanceof Error ? error.message : String(error)}`);
    });
    relay.wake();
    supervisor.wake();
  }

  /** A collection that was lost since the gate would otherwise be noticed by the next write only. */
  private async assertCollection({ collection }: GenerationRecord): Promise<void> {
    let isThere: boolean;
    try {
      isThere = (await this.parts.store.info(collection)) !== null;
    } catch (error) {
      throw new DomainError('search.index-unavailable', { cause: error });
    }
    if (!isThere) throw new DomainError('generations.gate-refused', { detail: `unreadable: The collection ${collection} is gone` });
  }

  /** An index that is away does not keep anybody from going back: it is away for both. */
  private async assertUsable(to: GenerationRecord): Promise<void> {
    if (to.pausedAt !== null) {
      throw new DomainError('generations.gate-refused', { detail: `paused: It is being healed: ${to.pauseReason ?? 'no reason given'}` });
    }
    try {
      await this.assertCollection(to);
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'search.index-unavailable') throw error;
      this.logger.warn(`Whether the collection ${to.collection} is there cannot be seen: ${String(error.cause)}`);
    }
  }

  private async getLive(id: number): Promise<GenerationRecord> {
    const record = await this.get(id);
    if (record.state === 'retired') throw retiredError(id);
    return record;
  }

  private inBackground<T>(work: Promise<T>): Promise<T> {
    this.background.add(work);
    const forget = (): void => void this.background.delete(work);
    work.then(forget, forget);
    return work;
  }
}
