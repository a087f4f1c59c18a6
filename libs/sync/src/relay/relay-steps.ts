import type { Embedder } from '#embeddings';
import { crashPoint } from '#kernel';
import type { CallOptions, FencedDelete } from '#vector-store';
import type { IndexGeneration } from '../generations/index-generation.js';
import type { IndexSource } from '../index-source.js';
import { acknowledge, type Acknowledgement, type AcknowledgementResult } from '../ledger/acknowledge.js';
import { confirmClaims } from '../ledger/confirm-claims.js';
import type { ClaimedEntry } from '../ledger/ledger-entry.js';
import { purgeTombstones } from '../ledger/purge-tombstones.js';
import { renewLeases } from '../ledger/renew-leases.js';
import { boundedCall } from './bounded-call.js';
import { classifyFailure, ProviderPausedError } from './classify-failure.js';
import { decide } from './decide.js';
import { EmbeddingStep, type FailedItems, type IsPoison, type VectorResult } from './embedding-step.js';
import { LeaseLostError, type Lease } from './lease.js';
import type { RampTicket } from './provider-ramp.js';
import type { PassContext } from './relay-context.js';
import type { RunSummary } from './run-summary.js';
import { toPoint } from './to-point.js';
import type { UpsertItem, WorkItem } from './work-item.js';

/** An item whose effect is known: `absent` is a tombstone without a point. */
export interface Outcome {
  readonly item: WorkItem;
  readonly kind: Acknowledgement['kind'] | 'absent';
}

export interface SendResult {
  readonly done: readonly Outcome[];
  readonly failed: readonly FailedItems[];
}

/** How often a renewal is repeated for entries that a writer had locked, and the pause between. */
const RENEWAL_TRIES = 3;

/**
 * The steps of one pass over entries of one claim and one generation, each callable alone: read, vectors, send, acknowledge.
 *
 * No transaction is open between them.
 */
export class RelaySteps {
  /** Ids for which something has been sent under this lease; what became of it is known only once it is acknowledged. */
  private readonly sentIds = new Set<string>();
  private readonly embedding: EmbeddingStep;
  private isStoreReached = false;

  /** @param ticket of the time at which the entries were claimed: what is claimed before the store is paused is not sent after it */
  constructor(
    private readonly context: PassContext,
    private readonly generation: IndexGeneration,
    private readonly source: IndexSource,
    readonly lease: Lease,
    private readonly ticket: RampTicket,
    private readonly summary: RunSummary,
  ) {
    this.embedding = new EmbeddingStep(context, generation, lease, summary);
  }

  /** Whether the store has answered a call of this pass. */
  get hasReachedStore(): boolean {
    return this.isStoreReached;
  }

  /** Whether an unrecorded write of the entry may be on its way to the index. */
  isInDoubt(entry: ClaimedEntry): boolean {
    return entry.wasInDoubt || this.sentIds.has(entry.sourceId);
  }

  /** Reads version and row of each entry in one snapshot and decides what to do; drops entries that this lease holds no longer (rules 3 and 4). */
  async read(entries: readonly ClaimedEntry[]): Promise<WorkItem[]> {
    const items: WorkItem[] = entries
      .filter(({ state }) => state === 'tombstone')
      .map((entry) => ({ action: 'verify', entry, rev: entry.version }));
    const rows = entries.filter(({ state }) => state === 'pending');
    if (rows.length === 0) return items;
    const { revs, documents } = await this.context.unitOfWork.run(
      async (session) => {
        const ids = rows.map(({ sourceId }) => sourceId);
        const held = await confirmClaims(session, this.generation.id, ids, this.lease.token);
        return { revs: held, documents: held.size === 0 ? [] : await this.source.load([...held.keys()], session) };
      },
      { isolation: 'REPEATABLE READ', isReadOnly: true },
    );
    crashPoint('relay.read');
    const documentById = new Map(documents.map((document) => [document.id, document]));
    for (const entry of rows) {
      const rev = revs.get(entry.sourceId);
      if (rev === undefined) {
        this.summary.leasesLost += this.lease.lose([entry.sourceId]);
        continue;
      }
      const input = { entry, rev, document: documentById.get(entry.sourceId), isInDoubt: this.isInDoubt(entry) };
      items.push(decide(input, this.generation.modelRev, this.generation.templateRev));
    }
    return items;
  }

  /** Takes vectors from the cache and embeds what it lacks, equal texts once; everything new is in the cache before it is used. */
  vectors(items: readonly WorkItem[], embedder: () => Embedder, isPoison: IsPoison = isEntryFailure): Promise<VectorResult> {
    return this.embedding.take(items, embedder, isPoison);
  }

  /** Writes, fenced by rev, and checks tombstones (rules 5 and 8); upserts and deletes succeed or fail apart. */
  async send(items: readonly WorkItem[], vectors: ReadonlyMap<UpsertItem, Float32Array>): Promise<SendResult> {
    const done: Outcome[] = [];
    const failed: FailedItems[] = [];
    const held = items.filter(({ entry }) => !this.lease.isLost(entry.sourceId));
    const attempt = async (group: readonly WorkItem[], action: () => Promise<readonly Outcome[]>): Promise<void> => {
      if (group.length === 0) return;
      try {
        done.push(...(await action()));
      } catch (error) {
        failed.push({ items: group, error });
      }
    };
    const upserts = held.filter((item): item is UpsertItem => item.action === 'upsert' && vectors.has(item));
    const deletes = held.filter(({ action }) => action === 'delete');
    const tombstones = held.filter(({ action }) => action === 'verify');
    await Promise.all([
      attempt(upserts, () => this.upsert(upserts, vectors)),
      attempt(deletes, () => this.delete(deletes)),
      attempt(tombstones, () => this.verify(tombstones)),
    ]);
    return { done, failed };
  }

  /** Records outcomes by token and version (rules 6 and 8); returns what was not reached, because a writer has it locked or it is held no longer. */
  async acknowledge(outcomes: readonly Outcome[]): Promise<Outcome[]> {
    const absent = outcomes.filter(({ kind }) => kind === 'absent');
    const recorded = outcomes.filter(({ kind }) => kind !== 'absent');
    const reached = new Set<string>();
    if (absent.length > 0) {
      crashPoint('relay.before-purge');
      const tombstones = absent.map(({ item }) => ({ sourceId: item.entry.sourceId, version: item.rev }));
      for (const id of await purgeTombstones(this.context.unitOfWork, this.generation.id, this.lease.token, tombstones)) {
        reached.add(id);
        this.summary.purged++;
      }
    }
    if (recorded.length > 0) {
      crashPoint('relay.before-acknowledge');
      const results = await acknowledge(
        this.context.unitOfWork,
        this.generation.id,
        this.lease.token,
        recorded.map(toAcknowledgement),
        this.context.settings.graceMs,
      );
      crashPoint('relay.after-acknowledge');
      const kinds = new Map(recorded.map(({ item, kind }) => [item.entry.sourceId, kind]));
      for (const result of results) {
        reached.add(result.sourceId);
        this.count(result, kinds.get(result.sourceId)!);
      }
    }
    return outcomes.filter(({ item }) => !reached.has(item.entry.sourceId));
  }

  /**
   * Extends the lease of the entries; those that a writer has locked throughout are given up, and the others go on.
   *
   * @throws LeaseLostError when none is left
   */
  async renew(entries: readonly ClaimedEntry[]): Promise<void> {
    let missing = entries.map(({ sourceId }) => sourceId).filter((id) => !this.lease.isLost(id));
    if (missing.length === 0) return;
    const startedAtMs = this.context.clock.monotonicMs();
    let reachedCount = 0;
    for (let tries = 0; tries < RENEWAL_TRIES && missing.length > 0; tries++) {
      const reached = new Set(
        await renewLeases(this.context.unitOfWork, this.generation.id, this.lease.token, missing, this.lease.durationMs),
      );
      reachedCount += reached.size;
      missing = missing.filter((id) => !reached.has(id));
    }
    this.summary.leasesLost += this.lease.lose(missing);
    if (reachedCount === 0) {
      const error = new LeaseLostError();
      this.lease.abort(error);
      throw error;
    }
    this.lease.extend(startedAtMs);
  }

  private count(result: AcknowledgementResult, kind: Outcome['kind']): void {
    if (!result.isRecorded) {
      this.summary.superseded++;
      return;
    }
    if (kind === 'synced') this.summary.synced++;
    else if (kind === 'skipped') this.summary.skipped++;
    else this.summary.deleted++;
    this.context.onRecorded(result.lagMs, result.sourceId);
  }

  private async upsert(items: readonly UpsertItem[], vectors: ReadonlyMap<UpsertItem, Float32Array>): Promise<Outcome[]> {
    const { providers, store } = this.context;
    const { upsertGate } = providers;
    if (upsertGate.isClosed) throw new ProviderPausedError(upsertGate.remainingMs);
    const held = await this.hold(items);
    const points = held.map((item) => toPoint(item, vectors.get(item)!, this.generation.modelRev));
    crashPoint('relay.before-upsert');
    await this.write(held, (options) => store.upsert(this.generation.collection, points, options));
    crashPoint('relay.after-upsert');
    upsertGate.succeed();
    return held.map((item) => ({ item, kind: 'synced' }));
  }

  private async delete(items: readonly WorkItem[]): Promise<Outcome[]> {
    const held = await this.hold(items);
    const deletes: FencedDelete[] = held.map(({ entry, rev }) => ({ id: entry.sourceId, rev }));
    crashPoint('relay.before-delete');
    await this.write(held, (options) => this.context.store.delete(this.generation.collection, deletes, options));
    crashPoint('relay.after-delete');
    return held.map((item) => ({ item, kind: 'deleted' }));
  }

  /** A late write may have brought the point back after the delete; only when it is absent after the grace is the tombstone of no more use. */
  private async verify(items: readonly WorkItem[]): Promise<Outcome[]> {
    const ids = items.map(({ entry }) => entry.sourceId);
    this.admit();
    const points = await this.bounded((options) => this.context.store.retrieve(this.generation.collection, ids, options));
    const found = new Set(points.map(({ id }) => id));
    const present = items.filter(({ entry }) => found.has(entry.sourceId));
    const absent = items.filter(({ entry }) => !found.has(entry.sourceId));
    const deleted = present.length === 0 ? [] : await this.delete(present);
    return [...deleted, ...absent.map((item) => ({ item, kind: 'absent' as const }))];
  }

  /** Only what the lease leaves the whole time-out of the client for may be sent (assumption A); a lease that is too short is renewed first. */
  private async hold<Item extends WorkItem>(items: readonly Item[]): Promise<Item[]> {
    if (this.lease.remainingMs < this.context.settings.writeTimeoutMs) await this.renew(items.map(({ entry }) => entry));
    this.lease.signal.throwIfAborted();
    if (this.lease.remainingMs < this.context.settings.writeTimeoutMs) throw new LeaseLostError();
    this.admit();
    return items.filter(({ entry }) => !this.lease.isLost(entry.sourceId));
  }

  /** A provider that is paused, or is being tried with one small batch, gets nothing else. */
  private admit(): void {
    const { storeGate, storeRamp } = this.context.providers;
    if (!storeRamp.admits(this.ticket)) throw new ProviderPausedError(storeGate.remainingMs);
  }

  private async write(items: readonly WorkItem[], call: (options: CallOptions) => Promise<void>): Promise<void> {
    if (items.length === 0) return;
    for (const { entry } of items) this.sentIds.add(entry.sourceId);
    await this.bounded(call);
    this.context.providers.noteStoreSuccess();
  }

  private async bounded<T>(call: (options: CallOptions) => Promise<T>): Promise<T> {
    const result = await boundedCall(call, this.context.settings.writeTimeoutMs, this.lease.signal);
    this.isStoreReached = true;
    return result;
  }
}

const isEntryFailure: IsPoison = (error) => Promise.resolve(classifyFailure(error) === 'entry');

function toAcknowledgement({ item, kind }: Outcome): Acknowledgement {
  const hashes =
    item.action === 'upsert' ? { textHash: item.textHash, payloadHash: item.payloadHash } : { textHash: null, payloadHash: null };
  return { sourceId: item.entry.sourceId, rev: item.rev, kind: kind as Acknowledgement['kind'], ...hashes };
}
