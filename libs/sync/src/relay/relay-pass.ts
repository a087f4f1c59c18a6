import type { IndexGeneration } from '../generations/index-generation.js';
import type { IndexSource } from '../index-source.js';
import { inSpan } from '#observability';
import { isRetry, type ClaimedEntry } from '../ledger/ledger-entry.js';
import { stillHeld } from '../ledger/still-held.js';
import { pause } from '../pause.js';
import { chunksByAttempts } from './chunks-by-attempts.js';
import { chunksByBytes } from './chunks-by-bytes.js';
import { describeFailure, ProviderPausedError } from './classify-failure.js';
import type { FailedItems } from './embedding-step.js';
import type { Lease } from './lease.js';
import { entryToBlame, itemToBlame, PassFailures } from './pass-failures.js';
import type { RampTicket } from './provider-ramp.js';
import { BATCH_BYTES_DEFAULT, type PassContext } from './relay-context.js';
import { RelaySteps, type Outcome } from './relay-steps.js';
import { emptySummary, type RunSummary } from './run-summary.js';
import type { WorkItem } from './work-item.js';

/** A lease is renewed after this part of it, so that two renewals may fail before it ends. */
const RENEWALS_PER_LEASE = 3;
/** Pauses between two tries to acknowledge what a writer has locked: most writers are done in a few milliseconds. */
const LOCKED_RETRY_MS = [5, 10, 25, 50, 100, 200] as const;

/** The way of some entries of one claim from the lease to the acknowledgement, whatever happens on it. */
export class RelayPass {
  readonly summary: RunSummary = emptySummary();
  readonly steps: RelaySteps;
  private readonly failures: PassFailures;

  /** @param ticket of the store's ramp, from before the claim */
  constructor(
    private readonly context: PassContext,
    readonly generation: IndexGeneration,
    source: IndexSource,
    readonly entries: readonly ClaimedEntry[],
    readonly lease: Lease,
    readonly ticket: RampTicket,
  ) {
    this.steps = new RelaySteps(context, generation, source, lease, ticket, this.summary);
    this.failures = new PassFailures(context, generation, this.steps, lease, this.summary, (part) => this.process(part));
    this.summary.claimed = entries.length;
    this.summary.retries = entries.filter(isRetry).length;
    this.summary.leasesExpired = entries.filter(({ hadExpired }) => hadExpired).length;
  }

  /** Processes all entries; resolves when each is acknowledged, recorded as failed, let go, or left to its lease. Never rejects. */
  run(): Promise<RunSummary> {
    const attributes = { 'kindred.source': this.generation.source, 'kindred.entries': this.entries.length };
    return inSpan('relay batch', attributes, () => this.processAll());
  }

  private async processAll(): Promise<RunSummary> {
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
      this.context.warn('pass', `A pass of the relay was given up: ${describeFailure(error).message}`);
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
      await this.failures.handle(entries.map(entryToBlame), error);
      return;
    }
    const skipped: Outcome[] = items.filter(({ action }) => action === 'skip').map((item) => ({ item, kind: 'skipped' }));
    const needed = items.filter(({ action }) => action !== 'skip');
    const chunks = chunksByBytes(needed, this.context.settings.batchBytes ?? BATCH_BYTES_DEFAULT);
    // What is skipped is acknowledged together with the first chunk: one statement less.
    if (chunks.length === 0) await this.settle(skipped);
    for (const [n, chunk] of chunks.entries()) await this.write(chunk, n === 0 ? skipped : []);
  }

  private async write(items: readonly WorkItem[], settled: readonly Outcome[]): Promise<void> {
    const outcomes: Outcome[] = [...settled];
    const failures: FailedItems[] = [];
    try {
      const { vectors, failed } = await this.takeVectors(items);
      const unembedded = new Set(failed.flatMap((failure) => failure.items));
      const sent = await this.steps.send(
        items.filter((item) => !unembedded.has(item)),
        vectors,
      );
      outcomes.push(...sent.done);
      failures.push(...failed, ...sent.failed);
    } catch (error) {
      failures.push({ items, error });
    }
    await this.settle(outcomes);
    await this.failures.handlePoison(failures.filter(({ isIsolated }) => isIsolated === true));
    for (const { items: failed, error, isIsolated } of failures)
      if (isIsolated !== true) await this.failures.handle(failed.map(itemToBlame), error);
  }

  private async takeVectors(items: readonly WorkItem[]): ReturnType<RelaySteps['vectors']> {
    const gate = this.context.providers.embedderGate(this.generation.modelRev);
    const embedder = () => {
      if (gate.isClosed) throw new ProviderPausedError(gate.remainingMs);
      return this.context.embedders.get(this.generation.embedder);
    };
    const before = this.summary.embedded;
    const result = await this.steps.vectors(items, embedder, (error) => this.failures.isPoisonText(error));
    if (this.summary.embedded > before) gate.succeed();
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
      this.failures.lose(unreached.map(({ item }) => item.entry).filter(({ sourceId }) => !held.has(sourceId)));
      unreached = unreached.filter(({ item }) => held.has(item.entry.sourceId));
      if (unreached.length === 0) break;
      const stale = unreached.filter(({ kind }) => kind === 'absent');
      // The row came back before its tombstone was purged. Nothing was sent, so the entry is as much in doubt as it was.
      await this.failures.release(stale.map(({ item }) => item.entry));
      if (stale.length > 0) this.context.wake();
      await pause(delayMs);
      unreached = await this.steps.acknowledge(unreached.filter(({ kind }) => kind !== 'absent'));
    }
    this.failures.lose(unreached.map(({ item }) => item.entry));
    if (this.summary.superseded > before) this.context.wake();
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
