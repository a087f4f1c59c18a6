import type { RelayUnitOfWork } from '#database';
import { DomainError, type Clock } from '#kernel';
import { Logger } from '@nestjs/common';
import type { IndexSource } from '../index-source.js';
import type { IndexSourceRegistry } from '../index-source-registry.js';
import { countDead } from '../ledger/count-dead.js';
import { countPending } from '../ledger/count-pending.js';
import type { HeldLease } from '../leases/held-lease.js';
import { thisProcess, type SyncLeases } from '../leases/sync-leases.js';
import { pause } from '../pause.js';
import type { IndexRelay } from '../relay/index-relay.js';
import { databaseNow } from './database-now.js';
import type { GateComparison, GateReason, GateReasonCode, GateReport } from './gate-report.js';
import { gateLeaseName, saveGateReport } from './gate-reports.js';
import type { GateSampleCheck } from './gate-sample-check.js';
import type { GenerationCatalog } from './generation-catalog.js';
import type { GenerationProof, ProofResult } from './generation-proof.js';
import type { GenerationRecord } from './generation-record.js';
import { getGenerationRecord } from './read-generation-records.js';
import type { SearchComparison } from './search-comparison.js';

export interface GenerationGateParts {
  readonly unitOfWork: RelayUnitOfWork;
  readonly sources: IndexSourceRegistry;
  readonly catalog: GenerationCatalog;
  readonly leases: SyncLeases;
  readonly relay: IndexRelay;
  readonly proof: GenerationProof;
  readonly sampleCheck: GateSampleCheck;
  readonly comparison: SearchComparison;
  readonly clock: Clock;
  /** Longest wait for changes from before the gate to reach the index. Default 60,000. */
  readonly drainWaitMs?: number;
}

export interface GateOptions {
  /** Dead entries do not count against it. */
  readonly isForced?: boolean;
}

/** A gate that has begun: its report so far, and its end. */
export interface RunningGate {
  readonly report: GateReport;
  /** Runs it to its end; call it once. The report is stored before it resolves. */
  finish(signal: AbortSignal): Promise<GateReport>;
}

const DRAIN_WAIT_DEFAULT_MS = 60_000;
const DRAIN_LOOK_MS = 50;
const MISMATCHES_SHOWN = 3;

/** Decides whether a generation may serve, by reading its index (protocol rule 12). Changes nothing but the report. */
export class GenerationGate {
  private readonly logger = new Logger('GenerationGate');

  constructor(private readonly parts: GenerationGateParts) {}

  /**
   * Takes the right to run the gate of this generation, and stores that it runs.
   *
   * @throws DomainError `generations.conflict` when another one runs
   */
  async begin(generation: GenerationRecord, { isForced = false }: GateOptions): Promise<RunningGate> {
    const { leases, unitOfWork } = this.parts;
    const lease = await leases.acquire(gateLeaseName(generation.id));
    if (lease === null) throw new DomainError('generations.conflict', { detail: `A gate of generation ${generation.id} is running` });
    try {
      const report = newReport(isForced, await databaseNow(unitOfWork));
      await saveGateReport(unitOfWork, generation.id, report);
      return { report, finish: (signal) => this.finish(generation, report, lease, signal) };
    } catch (error) {
      await lease.release();
      throw error;
    }
  }

  private async finish(generation: GenerationRecord, begun: GateReport, lease: HeldLease, stop: AbortSignal): Promise<GateReport> {
    const { unitOfWork } = this.parts;
    const signal = AbortSignal.any([stop, lease.signal]);
    try {
      const findings = await this.check(generation, begun, signal);
      const passed = findings.reasons.length === 0;
      const report: GateReport = {
        ...begun,
        ...findings,
        passed,
        status: passed ? 'passed' : 'refused',
        checked_at: (await databaseNow(unitOfWork)).toISOString(),
      };
      await unitOfWork.run(async (session) => {
        // A process that was frozen past its lease must not write over a newer report.
        await lease.assertIn(session);
        await saveGateReport(session, generation.id, report);
      });
      this.logger.log(`The gate of generation ${generation.id} has ${passed ? 'passed' : `refused: ${describeReasons(report.reasons)}`}`);
      return report;
    } catch (error) {
      await saveGateReport(unitOfWork, generation.id, { ...begun, status: 'failed' }).catch(() => undefined);
      throw error;
    } finally {
      await lease.release();
    }
  }

  private async check(generation: GenerationRecord, { began_at, is_forced }: GateReport, signal: AbortSignal) {
    const { proof, sampleCheck, sources, unitOfWork } = this.parts;
    const source = sources.get(generation.source);
    const reasons: GateReason[] = [];
    const refuse = (code: GateReasonCode, detail: string): void => void reasons.push({ code, detail });
    /** One failure hides nothing of the rest: all reasons are reported. */
    const attempt = async <T>(what: string, action: () => Promise<T>): Promise<T | null> => {
      try {
        return await action();
      } catch (error) {
        signal.throwIfAborted();
        refuse('unreadable', `${what}: ${error instanceof Error ? error.message : String(error)}`);
        return null;
      }
    };
    const { filledAt, pausedAt, pauseReason } = (await getGenerationRecord(unitOfWork, generation.id)) ?? generation;
    if (filledAt === null) refuse('not-filled', 'Not all rows have been entered yet');
    if (pausedAt !== null) refuse('paused', `Its relays stand still: ${pauseReason ?? 'no reason given'}`);
    const isComparable = source.templateRev === generation.templateRev;
    if (!isComparable) {
      refuse(
        'template',
        `Its template is ${generation.templateRev}, that of the source is ${source.templateRev} by now; build a new generation`,
      );
    }
    const isDraining = filledAt !== null && pausedAt === null;
    const pendingBefore = await this.waitForDrain(generation.id, new Date(began_at), isDraining, signal);
    if (pendingBefore > 0) refuse('pending', `${pendingBefore} changes from before the gate have not reached the index`);
    const certificate = await attempt('The comparison could not be made', () => proof.prove(generation, signal));
    if (certificate !== null && !certificate.isClean) refuse('certificate', certificate.detail);
    const sample = isComparable ? await attempt('The sample could not be read', () => sampleCheck.run(generation, source, signal)) : null;
    if (sample !== null && sample.mismatches.length > 0) refuse('sample', describeMismatches(sample.mismatches));
    const comparison = await this.compare(generation, source, signal);
    const dead = await countDead(unitOfWork, generation.id);
    if (dead > 0 && !is_forced) refuse('dead', `${dead} entries were given up; requeue them, correct their rows, or force the switch`);
    return { reasons, sample, ...figuresOf(certificate, comparison), comparison, dead, pending_before: pendingBefore };
  }

  private async waitForDrain(generationId: number, until: Date, isWorthWaiting: boolean, signal: AbortSignal): Promise<number> {
    const { clock, drainWaitMs = DRAIN_WAIT_DEFAULT_MS, relay, unitOfWork } = this.parts;
    const deadlineMs = clock.monotonicMs() + (isWorthWaiting ? drainWaitMs : 0);
    relay.wake();
    for (;;) {
      const pending = await countPending(unitOfWork, generationId, until);
      if (pending === 0 || clock.monotonicMs() >= deadlineMs) return pending;
      await pause(DRAIN_LOOK_MS, signal);
    }
  }

  /** Evidence for people. That the serving index cannot be asked does not speak against the next one: it may be why there is a next one. */
  private async compare(generation: GenerationRecord, source: IndexSource, signal: AbortSignal): Promise<GateComparison | null> {
    const { catalog, comparison } = this.parts;
    try {
      const serving = (await catalog.list()).find((other) => other.source === generation.source && other.state === 'serving');
      if (serving === undefined || serving.id === generation.id) return null;
      return await comparison.run(serving, generation, source, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.logger.warn(`The answers of the generations could not be compared: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    }
  }
}

/** All reasons in one sentence. */
export function describeReasons(reasons: readonly GateReason[]): string {
  return reasons.map(({ code, detail }) => `${code}: ${detail}`).join('; ');
}

function describeMismatches(mismatches: readonly { readonly id: string; readonly difference: string }[]): string {
  const shown = mismatches.slice(0, MISMATCHES_SHOWN).map(({ id, difference }) => `${id} (${difference})`);
  return `${mismatches.length} points of the sample are not as their rows: ${shown.join(', ')}`;
}

function figuresOf(certificate: ProofResult | null, comparison: GateComparison | null) {
  return {
    certificate_id: certificate?.certificateId ?? null,
    overlap_at_10: comparison?.overlap_at_10 ?? null,
    rank_shift: comparison?.rank_shift ?? null,
  };
}

function newReport(isForced: boolean, beganAt: Date): GateReport {
  return {
    status: 'running',
    passed: false,
    reasons: [],
    is_forced: isForced,
    began_at: beganAt.toISOString(),
    checked_at: null,
    holder: thisProcess(),
    certificate_id: null,
    sample: null,
    overlap_at_10: null,
    rank_shift: null,
    comparison: null,
    dead: null,
    pending_before: null,
  };
}
