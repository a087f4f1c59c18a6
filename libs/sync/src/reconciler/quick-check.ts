import type { RelayUnitOfWork } from '#database';
import type { Clock } from '#kernel';
import type { VectorStore } from '#vector-store';
import { Logger } from '@nestjs/common';
import type { IndexGeneration } from '../generations/index-generation.js';
import { isFilled } from '../generations/mark-filled.js';
import type { IndexSourceRegistry } from '../index-source-registry.js';
import type { SyncLeases } from '../leases/sync-leases.js';
import { ForeignCollectionError } from '../restore/foreign-collection-error.js';
import type { RestoreGuard } from '../restore/restore-guard.js';
import { BUCKETS, BucketWalk, WITHOUT_BUCKET } from './bucket-walk.js';
import { countDatabase, findDifferingBuckets, sumOf, type DatabaseCounts } from './bucket-counts.js';
import { decide, planRepair } from './decide.js';
import { DifferenceTally } from './difference-tally.js';
import { Findings } from './findings.js';
import { LedgerRepair } from './ledger-repair.js';
import type { QuickCheckDecision, QuickCheckResult } from './quick-check-result.js';
import { DatabaseReader } from './read-database-side.js';
import { CONFIRM_PAUSE_DEFAULT_MS, PAGE_SIZE_DEFAULT, reconcileLeaseName } from './reconciler.js';
import { SecondLook } from './second-look.js';
import { VectorSample } from './vector-sample.js';

export interface QuickCheckParts {
  readonly unitOfWork: RelayUnitOfWork;
  readonly store: VectorStore;
  readonly sources: IndexSourceRegistry;
  readonly leases: SyncLeases;
  readonly clock: Clock;
  readonly guard: RestoreGuard;
  /** Called after a repair: there is work for the relay. Must not throw. */
  readonly onRepaired: () => void;
  readonly pageSize?: number;
  readonly confirmPauseMs?: number;
}

export interface QuickCheckOptions {
  /** Only reads; the epoch stays as it is. Default false. */
  readonly isReadOnly?: boolean;
  readonly signal?: AbortSignal;
}

/** What the counts of both sides are. */
interface Counted {
  readonly database: DatabaseCounts;
  readonly points: ReadonlyMap<string, number>;
  readonly unbucketed: number;
  /** Whether every row must have an entry. */
  readonly isFilled: boolean;
}

/**
 * Compares exact counts by bucket of both sides, which takes a moment however large the index is, and walks only the buckets whose counts cannot be
 * right. It notices what is missing or too much, and a side that was restored; content that differs is the business of the {@link Reconciler}.
 */
export class QuickCheck {
  private readonly logger = new Logger('QuickCheck');

  constructor(private readonly parts: QuickCheckParts) {}

  /**
   * Checks, heals what it finds, and gives both sides a new epoch.
   *
   * @throws VectorStoreError, DomainError when one of the sides cannot be read; nothing is known then
   */
  async run(generation: IndexGeneration, options: QuickCheckOptions = {}): Promise<QuickCheckResult> {
    const startedAt = this.parts.clock.now();
    const startedMs = this.parts.clock.monotonicMs();
    const outcome = await this.check(generation, options);
    const result: QuickCheckResult = {
      generation: generation.id,
      source: generation.source,
      collection: generation.collection,
      from: startedAt.toISOString(),
      to: this.parts.clock.now().toISOString(),
      duration_ms: Math.round(this.parts.clock.monotonicMs() - startedMs),
      ...outcome,
    };
    if (result.decision !== 'clean') {
      const { decision, reasons, repaired } = result;
      this.logger.warn([`Quick check of generation ${generation.id}: ${decision}, ${repaired} repaired`, ...reasons].join('. '));
    }
    return result;
  }

  private async check(generation: IndexGeneration, options: QuickCheckOptions): Promise<OutcomeReport> {
    const { guard } = this.parts;
    const isReadOnly = options.isReadOnly ?? false;
    try {
      const state = isReadOnly ? await guard.check(generation, options.signal) : await guard.settle(generation, options.signal);
      if (state === 'restored') return empty('restored', ['Database and index are not of the same time; one side was restored']);
    } catch (error) {
      if (error instanceof ForeignCollectionError) return empty('refused', [error.message]);
      throw error;
    }
    const counted = await this.count(generation, options.signal);
    const outcome = await this.compare(generation, counted, options);
    const isAdvanced = !isReadOnly && (await guard.advance(generation, options.signal));
    return { ...outcome, is_epoch_advanced: isAdvanced };
  }

  /** The database first (protocol rule 9). */
  private async count(generation: IndexGeneration, signal?: AbortSignal): Promise<Counted> {
    const { unitOfWork, sources, store } = this.parts;
    const hasAllEntries = await isFilled(unitOfWork, generation.id);
    const database = await countDatabase(unitOfWork, generation.id, sources.get(generation.source));
    const [counts, unbucketed] = await Promise.all([
      store.countByBucket(generation.collection, { signal }),
      store.count(generation.collection, WITHOUT_BUCKET, { signal }),
    ]);
    // Any other value is counted as unbucketed already.
    const points = new Map([...counts].filter(([bucket]) => BUCKETS.includes(bucket)));
    return { database, points, unbucketed, isFilled: hasAllEntries };
  }

  private async compare(generation: IndexGeneration, counted: Counted, options: QuickCheckOptions): Promise<OutcomeReport> {
    const { database, points, unbucketed } = counted;
    const buckets = findDifferingBuckets(database, points, counted.isFilled);
    const totals = {
      rows: sum(database.rows),
      points: sum(points) + unbucketed,
      synced: sumOf(database.entries, 'synced'),
      in_flight: sumOf(database.entries, 'pending') + sumOf(database.entries, 'tombstone'),
      dead: sumOf(database.entries, 'dead'),
      differing_buckets: buckets.all,
      unbucketed_points: unbucketed,
    };
    if (buckets.all.length === 0 && unbucketed === 0) return { ...empty('clean', []), ...totals };
    const findings = await this.look(generation, buckets, counted, options.signal);
    return { ...totals, ...(await this.repair(generation, findings, totals, options)) };
  }

  /** Compares the ids of the differing buckets, twice where they differ. */
  private async look(
    generation: IndexGeneration,
    buckets: ReturnType<typeof findDifferingBuckets>,
    { unbucketed, isFilled: hasAllEntries }: Counted,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<Findings> {
    const { unitOfWork, store, sources, pageSize = PAGE_SIZE_DEFAULT, confirmPauseMs = CONFIRM_PAUSE_DEFAULT_MS } = this.parts;
    const source = sources.get(generation.source);
    const findings = new Findings({ modelRev: generation.modelRev, isFilled: hasAllEntries }, new VectorSample(0, () => 0));
    const reader = new DatabaseReader(unitOfWork, generation, source);
    const walk = new BucketWalk({ unitOfWork, store, reader, source, collection: generation.collection, findings, pageSize });
    await walk.run(buckets, unbucketed > 0, signal);
    await new SecondLook({ unitOfWork, store, generation, reader, pauseMs: confirmPauseMs }).confirm(findings, signal);
    return findings;
  }

  private async repair(
    generation: IndexGeneration,
    findings: Findings,
    { rows, points }: { readonly rows: number; readonly points: number },
    options: QuickCheckOptions,
  ): Promise<Pick<OutcomeReport, 'differences' | 'repaired' | 'decision' | 'reasons' | 'is_epoch_advanced'>> {
    const { unitOfWork, leases, onRepaired } = this.parts;
    const isReadOnly = options.isReadOnly ?? false;
    const plan = planRepair(findings.confirmed, { isForced: false, rows, points, isWhole: true });
    const reasons = plan.refusal === null ? [] : [`${plan.refusal}; run a forced reconciliation if that is right`];
    if (plan.leftAlone > 0) reasons.push(`${plan.leftAlone} points were not written by Kindred and are left alone`);
    let decision = decide({
      isReadOnly,
      isWhole: true,
      isAhead: false,
      differences: findings.differences.total,
      plan,
    }) as QuickCheckDecision;
    let repaired = 0;
    if (!isReadOnly && plan.refusal === null && plan.repairable.length > 0) {
      const lease = await leases.acquire(reconcileLeaseName(generation.id));
      if (lease === null) {
        reasons.push('A reconciliation is running; it repairs what differs');
        decision = 'differs';
      } else {
        try {
          repaired = await new LedgerRepair(unitOfWork, generation).run(plan.repairable, lease);
        } finally {
          await lease.release();
        }
        onRepaired();
      }
    }
    return { differences: findings.differences.report(), repaired, decision, reasons, is_epoch_advanced: false };
  }
}

type OutcomeReport = Omit<QuickCheckResult, 'generation' | 'source' | 'collection' | 'from' | 'to' | 'duration_ms'>;

function empty(decision: QuickCheckDecision, reasons: readonly string[]): OutcomeReport {
  return {
    rows: 0,
    points: 0,
    synced: 0,
    in_flight: 0,
    dead: 0,
    differing_buckets: [],
    unbucketed_points: 0,
    differences: new DifferenceTally().report(),
    repaired: 0,
    is_epoch_advanced: false,
    decision,
    reasons,
  };
}

function sum(counts: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}
