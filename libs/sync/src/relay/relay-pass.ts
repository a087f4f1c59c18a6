import { VectorStoreError } from '#vector-store';
import { Logger } from '@nestjs/common';
import type { IndexGeneration } from '../generations/index-generation.js';
import type { IndexSource } from '../index-source.js';
import type { ClaimedEntry } from '../ledger/ledger-entry.js';
import { recordFailure } from '../ledger/record-failure.js';
import { releaseLeases } from '../ledger/release-leases.js';
import { stillHeld } from '../ledger/still-held.js';
import { pause } from '../pause.js';
import { backoffMs } from './backoff.js';
import { chunksByAttempts } from './chunks-by-attempts.js';
import { classifyFailure, describeFailure, ProviderPausedError } from './classify-failure.js';
import type { Lease } from './lease.js';
import type { ProviderGate } from './provider-gate.js';
import { doesEmbedderAnswer, doesStoreAnswer } from './provider-probes.js';
import type { PassContext } from './relay-context.js';
import { RelaySteps, type Outcome } from './relay-steps.js';
import { emptySummary, type RunSummary } from './run-summary.js';
import { isDeleting, type WorkItem } from './work-item.js';

/** A lease is renewed after this part of it, so that two renewals may fail before it ends. */
const RENEWALS_PER_LEASE = 3;
/** While the collection is being created again. */
const COLLECTION_MISSING_PAUSE_MS = 500;
/** Pauses between two tries to acknowledge what a writer has locked: most writers are done in a few milliseconds. */
const LOCKED_RETRY_MS = [5, 10, 25, 50, 100, 200] as const;

interface Blame {
  readonly entry: ClaimedEntry;
  readonly rev: number;
  readonly isDeleting: boolean;
}

/** The way of some entries of one claim and one generation from the lease to the acknowledgement, whatever happens on it. */
export class RelayPass {
  readonly summary: RunSummary = emptySummary();
  readonly steps: RelaySteps;
  private readonly logger = new Logger('IndexRelay');

  constructor(
    private readonly context: PassContext,
    readonly generation: IndexGeneration,
    source: IndexSource,
    readonly entries: readonly ClaimedEntry[],
    readonly lease: Lease,
  ) {
    this.steps = new RelaySteps(context, generation, source, lease, this.summary);
    this.summary.claimed = entries.length;
  }

  /** Processes all entries; resolves when each is acknowledged, recorded as failed, let go, or left to its lease. Never rejects. */
  async run(): Promise<RunSummary> {
    const unsettled = new Set(this.entries);
    const keeper = setInterval(() => void this.keepLease([...unsettled]), Math.max(1, this.lease.durationMs / RENEWALS_PER_LEASE));
    keeper.unref();
    try {
      for (const chunk of chunksByAttempts(this.entries, this.context.settings.batchSize)) {
        await this.process(chunk);
        for (const entry of chunk) unsettled.delete(entry);
      }
    } catch (error) {
      // What could not even be recorded comes back when its lease ends.
      this.logger.warn(`A pass of the relay was given up: ${describeFailure(error).message}`);
    } finally {
      clearInterval(keeper);
    }
    return this.summary;
  }

  /** Gives up everything that is not acknowledged yet, without waiting for the embedder or the store. */
  abort(reason: Error): void {
    this.lease.abort(reason);
  }

  private async process(entries: readonly ClaimedEntry[]): Promise<void> {
    let items: WorkItem[];
    try {
      this.lease.signal.throwIfAborted();
      items = await this.steps.read(entries.filter(({ sourceId }) => !this.lease.isLost(sourceId)));
    } catch (error) {
      await this.handleFailure(entries.map(toBlame), error);
      return;
    }
    const outcomes: Outcome[] = items.filter(({ action }) => action === 'skip').map((item) => ({ item, kind: 'skipped' }));
    const failures: { readonly items: readonly WorkItem[]; readonly error: unknown }[] = [];
    const needed = items.filter(({ action }) => action !== 'skip');
    if (needed.length > 0) {
      try {
        const { vectors, failed } = await this.takeVectors(needed);
        if (failed !== null) failures.push(failed);
        const unembedded = new Set(failed?.items);
        const sent = await this.steps.send(
          needed.filter((item) => !unembedded.has(item)),
          vectors,
        );
        outcomes.push(...sent.done);
        failures.push(...sent.failed);
      } catch (error) {
        failures.push({ items: needed, error });
      }
    }
    await this.settle(outcomes);
    for (const { items: failed, error } of failures) await this.handleFailure(failed.map(itemToBlame), error);
  }

  private async takeVectors(items: readonly WorkItem[]): ReturnType<RelaySteps['vectors']> {
    const gate = this.context.embedderGate(this.generation.modelRev);
    const result = await this.steps.vectors(items, () => {
      if (gate.isClosed) throw new ProviderPausedError(gate.remainingMs);
      return this.context.embedders.get(this.generation.embedder);
    });
    if (result.failed === null) gate.succeed();
    return result;
  }

  /** Acknowledges, and again what a writer has locked: its change supersedes ours, but only when the lease is gone can it be claimed. */
  private async settle(outcomes: readonly Outcome[]): Promise<void> {
    if (outcomes.length === 0) return;
    const before = this.summary.superseded;
    let unreached = await this.steps.acknowledge(outcomes);
    for (const delayMs of LOCKED_RETRY_MS) {
      if (unreached.length === 0) break;
      const ids = unreached.map(({ item }) => item.entry.sourceId);
      const held = new Set(await stillHeld(this.context.unitOfWork, this.generation.id, this.lease.token, ids));
      this.lose(unreached.map(({ item }) => item.entry).filter(({ sourceId }) => !held.has(sourceId)));
      unreached = unreached.filter(({ item }) => held.has(item.entry.sourceId));
      if (unreached.length === 0) break;
      const stale = unreached.filter(({ kind }) => kind === 'absent');
      // The row came back before its tombstone was purged. Nothing was sent, so the entry is as much in doubt as it was.
      await this.release(stale.map(({ item }) => item.entry));
      if (stale.length > 0) this.context.wake();
      await pause(delayMs);
      unreached = await this.steps.acknowledge(unreached.filter(({ kind }) => kind !== 'absent'));
    }
    this.lose(unreached.map(({ item }) => item.entry));
    if (this.summary.superseded > before) this.context.wake();
  }

  private async handleFailure(blamed: readonly Blame[], error: unknown): Promise<void> {
    // An aborted call fails in its own words; the reason of the abort is what counts.
    const cause: unknown = this.lease.signal.aborted ? this.lease.signal.reason : error;
    const { storeGate } = this.context;
    switch (classifyFailure(cause)) {
      case 'stopped':
        return this.release(blamed.map(({ entry }) => entry));
      case 'lost':
        this.lose(blamed.map(({ entry }) => entry));
        return;
      case 'database':
        return this.postpone(blamed, cause, backoffMs(2, this.context.random));
      case 'paused':
        return this.postpone(blamed, cause, (cause as ProviderPausedError).remainingMs);
      case 'throttled':
        return this.postpone(blamed, cause, this.close(storeGate, 'vector store', cause, (cause as VectorStoreError).options.retryAfterMs));
      case 'store-unavailable':
        if (!(await doesStoreAnswer(this.context.store, this.context.settings.writeTimeoutMs)))
          return this.postpone(blamed, cause, this.close(storeGate, 'vector store', cause));
        // No split at once: each half would cost a whole time-out. Retries come in smaller and smaller chunks instead.
        return this.fail(blamed, cause, this.context.hasStoreSucceededLately());
      case 'embedder-unavailable': {
        if (await doesEmbedderAnswer(this.context.embedders, this.generation.embedder)) return this.isolate(blamed, cause);
        return this.postpone(blamed, cause, this.close(this.context.embedderGate(this.generation.modelRev), 'embedder', cause));
      }
      case 'collection-missing':
        this.context.onCollectionMissing(this.generation);
        return this.postpone(blamed, cause, COLLECTION_MISSING_PAUSE_MS);
      case 'misconfigured':
        return this.postpone(blamed, cause, this.close(storeGate, 'vector store', cause));
      case 'entry':
        // A wrong key refuses everything; that is no poison.
        if (
          cause instanceof VectorStoreError &&
          cause.kind === 'rejected' &&
          !(await doesStoreAnswer(this.context.store, this.context.settings.writeTimeoutMs))
        ) {
          return this.postpone(blamed, cause, this.close(storeGate, 'vector store', cause));
        }
        return this.isolate(blamed, cause);
    }
  }

  /** Halves the entries until the one that cannot be processed stands alone; everything else goes through. */
  private async isolate(blamed: readonly Blame[], error: unknown): Promise<void> {
    if (blamed.length === 1) return this.fail(blamed, error, true);
    this.summary.splits++;
    const middle = Math.ceil(blamed.length / 2);
    await this.process(blamed.slice(0, middle).map(({ entry }) => entry));
    await this.process(blamed.slice(middle).map(({ entry }) => entry));
  }

  private async fail(blamed: readonly Blame[], error: unknown, canDie: boolean): Promise<void> {
    const { maxAttempts } = this.context.settings;
    const results = await this.record(blamed, error, canDie ? maxAttempts : null, false, (entry) =>
      backoffMs(entry.attempts, this.context.random),
    );
    this.summary.failed += results.length;
    for (const { sourceId } of results.filter(({ isDead }) => isDead)) {
      this.summary.dead++;
      const { code, message } = describeFailure(error);
      this.logger.error(`${this.generation.source} ${sourceId} is dead after ${maxAttempts} attempts: ${code}: ${message}`);
    }
  }

  /** Gives the attempts back: the failure says nothing about these entries. */
  private async postpone(blamed: readonly Blame[], error: unknown, delayMs: number): Promise<void> {
    // Spread, so that the first seconds after an outage are not all in one.
    const results = await this.record(blamed, error, null, true, () => delayMs * (1 + this.context.random() / 2));
    this.summary.paused += results.length;
  }

  private async record(
    blamed: readonly Blame[],
    error: unknown,
    maxAttempts: number | null,
    isPause: boolean,
    delay: (entry: ClaimedEntry) => number,
  ) {
    const failures = blamed.map(({ entry, rev, isDeleting: isDelete }) => ({
      sourceId: entry.sourceId,
      rev,
      isDeleting: isDelete,
      backoffMs: delay(entry),
      isInDoubt: this.steps.isInDoubt(entry),
    }));
    const described = { ...describeFailure(error), at: this.context.clock.now().toISOString() };
    return recordFailure(this.context.unitOfWork, this.generation.id, this.lease.token, failures, {
      error: described,
      maxAttempts,
      isPause,
    });
  }

  private async release(entries: readonly ClaimedEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const releases = entries.map((entry) => ({ sourceId: entry.sourceId, isInDoubt: this.steps.isInDoubt(entry) }));
    this.summary.released += await releaseLeases(this.context.unitOfWork, this.generation.id, this.lease.token, releases);
  }

  private lose(entries: readonly ClaimedEntry[]): void {
    this.summary.leasesLost += this.lease.lose(entries.map(({ sourceId }) => sourceId));
  }

  private close(gate: ProviderGate, name: string, error: unknown, retryAfterMs?: number): number {
    if (!gate.isClosed) this.logger.warn(`The ${name} is paused: ${describeFailure(error).message}`);
    return gate.close(retryAfterMs);
  }

  private async keepLease(entries: readonly ClaimedEntry[]): Promise<void> {
    if (this.lease.signal.aborted) return;
    try {
      await this.steps.renew(entries);
      this.summary.leasesRenewed += 1;
    } catch {
      // Lost: the lease has aborted the work. Database away: the next turn tries again, and nothing is sent once the lease is too short.
    }
  }
}

const toBlame = (entry: ClaimedEntry): Blame => ({ entry, rev: entry.version, isDeleting: entry.state === 'tombstone' });
const itemToBlame = (item: WorkItem): Blame => ({ entry: item.entry, rev: item.rev, isDeleting: isDeleting(item.action) });
