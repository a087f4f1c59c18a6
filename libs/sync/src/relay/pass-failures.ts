import { crashPoint, DomainError } from '#kernel';
import { VectorStoreError } from '#vector-store';
import { Logger } from '@nestjs/common';
import type { IndexGeneration } from '../generations/index-generation.js';
import { isRetry, type ClaimedEntry } from '../ledger/ledger-entry.js';
import { recordFailure } from '../ledger/record-failure.js';
import { releaseLeases } from '../ledger/release-leases.js';
import { backoffMs } from './backoff.js';
import { classifyFailure, describeFailure, ProviderPausedError } from './classify-failure.js';
import type { FailedItems } from './embedding-step.js';
import { splitForIsolation } from './isolate-poison.js';
import type { Lease } from './lease.js';
import { doesEmbedderAnswer, doesStoreAnswer } from './provider-probes.js';
import type { PassContext } from './relay-context.js';
import type { RelaySteps } from './relay-steps.js';
import type { RunSummary } from './run-summary.js';
import { isDeleting, type WorkItem } from './work-item.js';

/** While the collection is being created again. */
const COLLECTION_MISSING_PAUSE_MS = 500;

/** An entry that a failure is about. */
export interface Blame {
  readonly entry: ClaimedEntry;
  readonly rev: number;
  readonly isDeleting: boolean;
}

export const entryToBlame = (entry: ClaimedEntry): Blame => ({ entry, rev: entry.version, isDeleting: entry.state === 'tombstone' });
export const itemToBlame = (item: WorkItem): Blame => ({ entry: item.entry, rev: item.rev, isDeleting: isDeleting(item.action) });

/** What becomes of entries of a pass that fail: whether they are blamed, put off, let go, or tried again in smaller parts. */
export class PassFailures {
  private readonly logger = new Logger('IndexRelay');

  /** @param again processes some of the entries anew */
  constructor(
    private readonly context: PassContext,
    private readonly generation: IndexGeneration,
    private readonly steps: RelaySteps,
    private readonly lease: Lease,
    private readonly summary: RunSummary,
    private readonly again: (entries: readonly ClaimedEntry[]) => Promise<void>,
  ) {}

  /** Does what the failure of these entries asks for. */
  async handle(blamed: readonly Blame[], error: unknown): Promise<void> {
    // An aborted call fails in its own words; the reason of the abort is what counts.
    const cause: unknown = this.lease.signal.aborted ? this.lease.signal.reason : error;
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
        return this.handleThrottling(blamed, cause as VectorStoreError);
      case 'store-unavailable':
        // The probe of a store that was away is answer enough; asking again would be a second one.
        if (this.context.providers.storeRamp.phase === 'probing' || !(await this.doesStoreAnswer()))
          return this.postpone(blamed, cause, this.closeStore(cause));
        // No split at once: each part would cost a whole time-out. Retries come in smaller and smaller chunks instead.
        return this.fail(blamed, cause, this.context.providers.hasStoreSucceededLately);
      case 'embedder-unavailable':
        // Whether a text is to blame has been found out already.
        return this.postpone(blamed, cause, this.closeEmbedder(cause));
      case 'collection-missing':
        this.context.onCollectionMissing(this.generation);
        return this.postpone(blamed, cause, COLLECTION_MISSING_PAUSE_MS);
      case 'misconfigured':
        return this.postpone(blamed, cause, this.closeStore(cause));
      case 'entry':
        // A wrong key refuses everything; that is no poison.
        if (cause instanceof VectorStoreError && cause.kind === 'rejected' && !(await this.doesStoreAnswer()))
          return this.postpone(blamed, cause, this.closeStore(cause));
        return this.isolate(blamed, cause);
    }
  }

  /** Blames entries that have failed alone; what failed for the same reason is recorded together. */
  async handlePoison(failures: readonly FailedItems[]): Promise<void> {
    const groups = new Map<string, { readonly error: unknown; readonly items: WorkItem[] }>();
    for (const { items, error } of failures) {
      const { code, message } = describeFailure(error);
      const key = `${code} ${message}`;
      const group = groups.get(key) ?? { error, items: [] };
      group.items.push(...items);
      groups.set(key, group);
    }
    for (const { error, items } of groups.values()) await this.fail(items.map(itemToBlame), error, true);
  }

  /** Whether a failure of the embedder may be the fault of a text: not when it is away, throttles, or cannot embed a harmless one either. */
  async isPoisonText(error: unknown): Promise<boolean> {
    const kind = classifyFailure(error);
    if (kind !== 'embedder-unavailable') return kind === 'entry';
    return retryAfterMsOf(error) === undefined && (await doesEmbedderAnswer(this.context.embedders, this.generation.embedder));
  }

  /** Lets go of entries unfinished, at once due for anybody. */
  async release(entries: readonly ClaimedEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const releases = entries.map((entry) => ({ sourceId: entry.sourceId, isInDoubt: this.steps.isInDoubt(entry) }));
    this.summary.released += await releaseLeases(this.context.unitOfWork, this.generation.id, this.lease.token, releases);
  }

  /** Gives up entries that may be somebody else's. */
  lose(entries: readonly ClaimedEntry[]): void {
    this.summary.leasesLost += this.lease.lose(entries.map(({ sourceId }) => sourceId));
  }

  /** Splits the entries until the one that cannot be processed stands alone; everything else goes through. */
  private async isolate(blamed: readonly Blame[], error: unknown): Promise<void> {
    if (blamed.length === 1) return this.fail(blamed, error, true);
    this.summary.splits++;
    // Read again: the row may have changed since.
    for (const part of splitForIsolation(blamed)) await this.again(part.map(({ entry }) => entry));
  }

  private async handleThrottling(blamed: readonly Blame[], error: VectorStoreError): Promise<void> {
    const { isStorageFull, retryAfterMs } = error.options;
    if (isStorageFull !== true) return this.postpone(blamed, error, this.closeStore(error, retryAfterMs));
    // Deletes go on: they are what makes room.
    this.context.warn('upserts', `The vector store is full; only deletes are sent: ${describeFailure(error).message}`);
    return this.postpone(blamed, error, this.context.providers.upsertGate.close(retryAfterMs));
  }

  private async fail(blamed: readonly Blame[], error: unknown, canDie: boolean): Promise<void> {
    const { maxAttempts } = this.context.settings;
    const results = await this.record(blamed, error, canDie ? maxAttempts : null, false, (entry) =>
      backoffMs(entry.attempts, this.context.random),
    );
    this.summary.failed += results.length;
    const retried = new Set(blamed.filter(({ entry }) => isRetry(entry)).map(({ entry }) => entry.sourceId));
    this.summary.failedRetries += results.filter(({ sourceId }) => retried.has(sourceId)).length;
    const dead = results.filter(({ isDead }) => isDead);
    if (dead.length === 0) return;
    this.summary.dead += dead.length;
    const { code, message } = describeFailure(error);
    const whose = dead.length === 1 ? `${dead[0]!.sourceId} is` : `${dead[0]!.sourceId} and ${dead.length - 1} more are`;
    const line = this.context.messages.pass(
      `dead ${code}`,
      `${this.generation.source} ${whose} dead after ${maxAttempts} attempts: ${code}: ${message}`,
    );
    if (line !== null) this.logger.error(line);
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
  ): ReturnType<typeof recordFailure> {
    const failures = blamed.map(({ entry, rev, isDeleting: isDelete }) => ({
      sourceId: entry.sourceId,
      rev,
      isDeleting: isDelete,
      backoffMs: delay(entry),
      isInDoubt: this.steps.isInDoubt(entry),
    }));
    const described = { ...describeFailure(error), at: this.context.clock.now().toISOString() };
    const options = { error: described, maxAttempts, isPause };
    const results = await recordFailure(this.context.unitOfWork, this.generation.id, this.lease.token, failures, options);
    crashPoint('relay.failure-recorded');
    return results;
  }

  private doesStoreAnswer(): Promise<boolean> {
    return doesStoreAnswer(this.context.store, this.context.settings.writeTimeoutMs);
  }

  private closeStore(error: unknown, retryAfterMs?: number): number {
    this.context.warn('store', `The vector store is paused: ${describeFailure(error).message}`);
    return this.context.providers.storeRamp.close(retryAfterMs);
  }

  private closeEmbedder(error: unknown): number {
    const { modelRev } = this.generation;
    this.context.warn(`embedder ${modelRev}`, `The embedder of ${this.generation.source} is paused: ${describeFailure(error).message}`);
    return this.context.providers.embedderGate(modelRev).close(retryAfterMsOf(error));
  }
}

/** What an embedder that throttles asks for; `undefined` = it does not say. */
function retryAfterMsOf(error: unknown): number | undefined {
  if (!(error instanceof DomainError)) return undefined;
  const seconds = Number(error.headers['Retry-After']);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : undefined;
}
