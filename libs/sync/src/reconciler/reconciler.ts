import { DomainError, type IdGenerator } from '#kernel';
import { Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { IndexGeneration } from '../generations/index-generation.js';
import { isFilled } from '../generations/mark-filled.js';
import type { IndexSourceRegistry } from '../index-source-registry.js';
import type { HeldLease } from '../leases/held-lease.js';
import type { SyncLeases } from '../leases/sync-leases.js';
import { readDatabaseId } from '../restore/database-identity.js';
import { finishCertificate, insertCertificate } from './certificate-rows.js';
import type { Certificate } from './certificate.js';
import type { Certificates } from './certificates.js';
import type { ReconcileOptions } from './reconcile-options.js';
import { Reconciliation, type ReconciliationParts } from './reconciliation.js';

/** Ids per page: some 300 KB of payloads. */
export const PAGE_SIZE_DEFAULT = 1_000;
/** Longer than a write takes to be seen by reads, shorter than a person's patience. */
export const CONFIRM_PAUSE_DEFAULT_MS = 200;

export interface ReconcilerParts extends Omit<ReconciliationParts, 'pageSize' | 'confirmPauseMs'> {
  readonly sources: IndexSourceRegistry;
  readonly leases: SyncLeases;
  readonly certificates: Certificates;
  readonly ids: IdGenerator;
  /** Called after a repair: there is work for the relay. Must not throw. */
  readonly onRepaired: () => void;
  /** Called when points are newer than the database can be: one side was restored. Must not throw. */
  readonly onAhead: (generation: IndexGeneration) => void;
  /** Ids per page and slice. Default 1,000. */
  readonly pageSize?: number;
  /** Between the two looks at a difference, milliseconds. Default 200. */
  readonly confirmPauseMs?: number;
}

/** The lease without which nobody repairs a generation. */
export const reconcileLeaseName = (generationId: number): string => `reconcile:${generationId}`;

/**
 * Reads index and rows side by side, repairs what differs through the ledger, and certifies what it has seen.
 *
 * At most one run per generation repairs at a time, among any number of processes; read-only runs are free.
 */
export class Reconciler implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Reconciler');
  private readonly stopping = new AbortController();
  private readonly running = new Set<Promise<unknown>>();

  constructor(private readonly parts: ReconcilerParts) {}

  /**
   * Runs to the end and returns the certificate; what goes wrong on the way is in it (`failed`).
   *
   * @throws DomainError `sync.reconciliation-running` when another run may repair this generation now; what the database said when not even the
   * certificate could be written
   */
  async run(generation: IndexGeneration, options: ReconcileOptions = {}): Promise<Certificate> {
    const { id, done } = await this.begin(generation, options);
    await done;
    return this.parts.certificates.get(id);
  }

  /** Runs in the background and returns the id of the certificate, whose report holds the progress while it is `running`. Errors as {@link run}. */
  async start(generation: IndexGeneration, options: ReconcileOptions = {}): Promise<{ id: string }> {
    const { id, done } = await this.begin(generation, options);
    done.catch((error: unknown) => this.logger.error(`Certificate ${id} could not be written: ${String(error)}`));
    return { id };
  }

  /** Calls off what is running, and waits until it has ended. Idempotent. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('The engine is stopping'));
    await Promise.allSettled([...this.running]);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.stop();
  }

  private async begin(generation: IndexGeneration, given: ReconcileOptions): Promise<{ id: string; done: Promise<void> }> {
    const { unitOfWork, sources, leases, ids, clock, store, random } = this.parts;
    const source = sources.get(generation.source);
    const databaseId = await readDatabaseId(unitOfWork);
    const hasAllEntries = await isFilled(unitOfWork, generation.id);
    const id = ids.uuid();
    // A read-only run holds a lease too: as a sign of life.
    const lease = await leases.acquire(given.isReadOnly === true ? `certificate:${id}` : reconcileLeaseName(generation.id));
    if (lease === null) throw new DomainError('sync.reconciliation-running');
    const options = { ...given, signal: AbortSignal.any([this.stopping.signal, ...(given.signal === undefined ? [] : [given.signal])]) };
    const { pageSize = PAGE_SIZE_DEFAULT, confirmPauseMs = CONFIRM_PAUSE_DEFAULT_MS } = this.parts;
    const parts = { unitOfWork, store, clock, random, pageSize, confirmPauseMs };
    const reconciliation = new Reconciliation(parts, id, generation, source, hasAllEntries, databaseId, options);
    try {
      await insertCertificate(unitOfWork, id, lease.token, reconciliation.report('running', []));
    } catch (error) {
      await lease.release();
      throw error;
    }
    const done = this.finish(id, generation, reconciliation, lease).finally(() => this.running.delete(done));
    this.running.add(done);
    return { id, done };
  }

  private async finish(id: string, generation: IndexGeneration, reconciliation: Reconciliation, lease: HeldLease): Promise<void> {
    try {
      const { report, isAhead } = await reconciliation.run(lease);
      await finishCertificate(this.parts.unitOfWork, id, report);
      const summary = `Certificate ${id} of generation ${generation.id}: ${report.decision}, ${report.verified} verified in ${report.duration_ms} ms`;
      if (report.decision === 'clean') this.logger.log(summary);
      else this.logger.warn([summary, ...report.reasons].join('. '));
      if (report.repaired > 0) this.parts.onRepaired();
      if (isAhead && !report.is_read_only) this.parts.onAhead(generation);
    } finally {
      await lease.release();
    }
  }
}
