import type { UnitOfWork } from '#database';
import { modelLabelOf } from '#embeddings';
import type { Clock } from '#kernel';
import { VectorStoreError, type StoreStatus, type VectorStore } from '#vector-store';
import type { IndexGeneration } from '../generations/index-generation.js';
import type { IndexSource } from '../index-source.js';
import { lastVersion } from '../ledger/raise-version-sequence.js';
import type { HeldLease } from '../leases/held-lease.js';
import { findStrangeness } from '../restore/database-identity.js';
import { updateProgress } from './certificate-rows.js';
import type { CertificateDecision, CertificateReport } from './certificate.js';
import { decide, planRepair } from './decide.js';
import { Findings } from './findings.js';
import { IndexWalk } from './index-walk.js';
import { LedgerRepair } from './ledger-repair.js';
import { DatabaseReader } from './read-database-side.js';
import { SAMPLE_SIZE_DEFAULT, type ReconcileOptions } from './reconcile-options.js';
import { SecondLook } from './second-look.js';
import { VectorSample } from './vector-sample.js';

/** A running certificate tells its progress no more often. */
const PROGRESS_INTERVAL_MS = 1_000;

export interface ReconciliationParts {
  readonly unitOfWork: UnitOfWork;
  readonly store: VectorStore;
  readonly clock: Clock;
  /** Uniform in [0, 1); chooses the sample. */
  readonly random: () => number;
  readonly pageSize: number;
  readonly confirmPauseMs: number;
}

export interface ReconciliationResult {
  readonly report: CertificateReport;
  /** Points are newer than the database can be: it was restored from an older copy (protocol rule 10). */
  readonly isAhead: boolean;
}

/** One run over one generation: walk, second look, repair, report. */
export class Reconciliation {
  private readonly findings: Findings;
  private readonly reader: DatabaseReader;
  private readonly startedAt: Date;
  private readonly startedMs: number;
  private store: StoreStatus | null = null;
  private serverRun: string | null = null;
  private sampled = 0;
  private repaired = 0;
  private upTo: string | null = null;
  private toldMs: number;

  constructor(
    private readonly parts: ReconciliationParts,
    private readonly id: string,
    private readonly generation: IndexGeneration,
    source: IndexSource,
    /** Whether every row must have an entry. */
    isFilled: boolean,
    private readonly databaseId: string,
    private readonly options: ReconcileOptions,
  ) {
    const sample = new VectorSample(options.sampleSize ?? SAMPLE_SIZE_DEFAULT, parts.random);
    this.findings = new Findings({ modelRev: generation.modelRev, isFilled }, sample);
    this.reader = new DatabaseReader(parts.unitOfWork, generation, source);
    this.startedAt = parts.clock.now();
    this.startedMs = parts.clock.monotonicMs();
    this.toldMs = this.startedMs;
  }

  /** Never rejects: what goes wrong is in the report. */
  async run(lease: HeldLease): Promise<ReconciliationResult> {
    const called = this.options.signal === undefined ? [] : [this.options.signal];
    const signal = AbortSignal.any([lease.signal, ...called]);
    try {
      const strangeness = await this.findStrangeness(signal);
      if (strangeness !== null) return { report: this.report('refused', [strangeness]), isAhead: false };
      return await this.compareAndRepair(lease, signal);
    } catch (error) {
      if (this.options.signal?.aborted === true) return { report: this.report('incomplete', ['It was called off']), isAhead: false };
      return { report: this.report('failed', [error instanceof Error ? error.message : String(error)]), isAhead: false };
    }
  }

  /** As it is now; `running` for the progress. */
  report(decision: CertificateDecision, reasons: readonly string[]): CertificateReport {
    const { clock } = this.parts;
    const { generation, findings, options } = this;
    return {
      format: 1,
      generation: generation.id,
      source: generation.source,
      collection: generation.collection,
      model: modelLabelOf(generation.embedder),
      model_rev: generation.modelRev,
      template_rev: generation.templateRev,
      database_id: this.databaseId,
      store: { source: this.parts.store.source, version: this.store?.version ?? null, run: this.serverRun },
      from: this.startedAt.toISOString(),
      to: decision === 'running' ? null : clock.now().toISOString(),
      duration_ms: Math.round(clock.monotonicMs() - this.startedMs),
      is_read_only: options.isReadOnly ?? false,
      is_forced: options.isForced ?? false,
      after: options.after ?? null,
      up_to: this.upTo,
      rows: findings.rows,
      points: findings.points,
      verified: findings.verified,
      in_flight: findings.inFlight,
      tombstones: findings.tombstones,
      dead: findings.dead,
      differences: findings.differences.report(),
      resolved: findings.resolved,
      repaired: this.repaired,
      text_verified: this.reader.isTextVerified,
      sampled_vectors: this.sampled,
      digest: findings.digest.report(),
      decision,
      reasons,
    };
  }

  private async compareAndRepair(lease: HeldLease, signal: AbortSignal): Promise<ReconciliationResult> {
    const { findings, generation, options } = this;
    const { unitOfWork, store, confirmPauseMs } = this.parts;
    this.upTo = await this.walk(signal);
    const isWhole = this.upTo === null && options.after === undefined;
    const lastGiven = await lastVersion(unitOfWork);
    const second = new SecondLook({ unitOfWork, store, generation, reader: this.reader, pauseMs: confirmPauseMs });
    await second.confirm(findings, signal);
    this.sampled = await second.confirmVectors(findings, signal);
    const isAhead = findings.highestRev > lastGiven;
    const plan = planRepair(findings.confirmed, {
      isForced: options.isForced ?? false,
      rows: findings.rows,
      points: findings.points,
      isWhole,
    });
    const reasons = this.reasons(plan.refusal, plan.leftAlone, isAhead ? lastGiven : null);
    const isReadOnly = options.isReadOnly ?? false;
    // A restored database is healed as a whole: single repairs would be refused by the fence, and still be acknowledged.
    if (!isReadOnly && !isAhead && plan.refusal === null) {
      this.repaired = await new LedgerRepair(unitOfWork, generation).run(plan.repairable, lease);
    }
    const decision = decide({ isReadOnly, isWhole, isAhead, differences: findings.differences.total, plan });
    return { report: this.report(decision, reasons), isAhead };
  }

  private async walk(signal: AbortSignal): Promise<string | null> {
    const { store, clock, pageSize } = this.parts;
    const endMs = this.startedMs + (this.options.budgetMs ?? Number.POSITIVE_INFINITY);
    const walk = new IndexWalk(this.reader, store, this.generation.collection, this.findings);
    return walk.run({
      pageSize,
      after: this.options.after ?? null,
      isOver: () => clock.monotonicMs() >= endMs,
      onRange: (upTo) => this.tell(upTo),
      signal,
    });
  }

  private async tell(upTo: string | null): Promise<void> {
    this.upTo = upTo;
    const nowMs = this.parts.clock.monotonicMs();
    if (nowMs - this.toldMs < PROGRESS_INTERVAL_MS) return;
    this.toldMs = nowMs;
    await updateProgress(this.parts.unitOfWork, this.id, this.report('running', []));
  }

  private async findStrangeness(signal: AbortSignal): Promise<string | null> {
    const { store } = this.parts;
    this.store = await store.ping({ signal });
    this.serverRun = await store.unprovenRun({ signal });
    const info = await store.info(this.generation.collection, { signal });
    if (info === null) throw new VectorStoreError('collection-missing', `There is no collection ${this.generation.collection}`);
    return findStrangeness(info, this.generation, this.databaseId);
  }

  private reasons(refusal: string | null, leftAlone: number, lastGiven: number | null): string[] {
    const { findings } = this;
    const reasons: string[] = [];
    if (lastGiven !== null) {
      reasons.push(
        `A point carries rev ${findings.highestRev}, but the database has given out ${lastGiven} only: it was restored from an older copy`,
      );
    }
    if (refusal !== null) reasons.push(`${refusal}; nothing is repaired unless it is forced`);
    if (findings.isFull) reasons.push('Too many ids differ to repair them one by one');
    else if (this.upTo !== null) reasons.push(`The time was over at ${this.upTo}`);
    if (this.options.after !== undefined) reasons.push(`It began behind ${this.options.after}`);
    if (leftAlone > 0) reasons.push(`${leftAlone} points were not written by Kindred and are left alone`);
    if (!this.reader.isTextVerified) reasons.push('The text template has changed since; texts were compared with the ledger only');
    return reasons;
  }
}
