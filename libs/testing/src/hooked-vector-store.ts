import {
  VectorStoreError,
  type CallOptions,
  type CollectionSpec,
  type FencedDelete,
  type StoreStatus,
  type VectorPoint,
} from '#vector-store';
import { FakeVectorStore } from './fake-vector-store.js';

/** A write on its way: the test decides whether and when it is applied and answered. */
export interface HeldWrite {
  readonly kind: 'upsert' | 'delete';
  readonly collection: string;
  readonly ids: readonly string[];
  readonly revs: readonly number[];
  /** Applies it now; may be called late, or twice, as a network may deliver late or twice. Nothing happens when the collection is gone. */
  land(): Promise<void>;
  /** Applies it and answers the caller. */
  complete(): Promise<void>;
  /** Leaves it unapplied and fails the caller. */
  fail(error: Error): void;
  /** Applies it, and fails the caller as if the reply had been lost. */
  loseReply(): Promise<void>;
}

/** Decides whether a write fails, unapplied; `null` lets it pass. */
export type FakeStoreFault = (write: Pick<HeldWrite, 'kind' | 'collection' | 'ids' | 'revs'>) => Error | null;

/** The double of a vector store whose writes a test can hold, deliver late or twice, lose the reply of, or fail, and which can be away or lose points. */
export class HookedVectorStore extends FakeVectorStore {
  /** Writes that are held and not yet decided, oldest first. */
  readonly held: HeldWrite[] = [];
  openings = 0;
  private readonly listeners = new Set<(cause: Error) => void>();
  private arrivals: (() => void)[] = [];
  private isHolding = false;
  private writeFault: FakeStoreFault | null = null;
  private outage: Error | null = null;
  private isBroken = false;

  /** @param source what the double says it is */
  constructor(source: 'local' | 'qdrant' = 'local') {
    super();
    // The base is typed as the local store; which one it is decides what the engine does after a start.
    Object.defineProperty(this, 'source', { value: source });
  }

  /** From now on writes wait in {@link held} for the test. */
  holdWrites(): void {
    this.isHolding = true;
  }

  /** New writes are applied at once again. */
  passWrites(): void {
    this.isHolding = false;
  }

  /** Resolves with the oldest held write, as soon as there is one, and takes it from {@link held}. */
  async nextWrite(): Promise<HeldWrite> {
    await this.writeArrives();
    return this.held.shift()!;
  }

  /** Resolves as soon as {@link held} is not empty; takes nothing. */
  async writeArrives(): Promise<void> {
    while (this.held.length === 0) await new Promise<void>((resolve) => this.arrivals.push(resolve));
  }

  failWrites(fault: FakeStoreFault | null): void {
    this.writeFault = fault;
  }

  /** From now on every call fails, until {@link recover}. */
  goAway(error: Error = new VectorStoreError('unavailable', 'The double is away')): void {
    this.outage = error;
  }

  recover(): void {
    this.outage = null;
  }

  /** Says that acknowledged points were lost, as the port's `onLost`: calls fail until `open` is called again. */
  breakDown(): void {
    this.isBroken = true;
    for (const listener of this.listeners) listener(new Error('The double has lost points'));
  }

  /** Removes points whatever their rev, past hooks and faults, as damage would. */
  async losePoints(collection: string, ids: readonly string[]): Promise<void> {
    this.uproot(collection, ids);
  }

  /** Replaces points whatever their rev, past hooks and faults. */
  async replacePoints(collection: string, points: readonly VectorPoint[]): Promise<void> {
    await this.losePoints(
      collection,
      points.map(({ id }) => id),
    );
    await super.upsert(collection, points);
  }

  override onLost(listener: (cause: Error) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  override async open(): Promise<void> {
    this.openings++;
    if (this.outage !== null) throw this.outage;
    this.isBroken = false;
    await super.open();
  }

  override async ping(): Promise<StoreStatus> {
    this.check();
    return super.ping();
  }

  override async ensureIndex(spec: CollectionSpec): Promise<boolean> {
    this.check();
    return super.ensureIndex(spec);
  }

  override async upsert(collection: string, points: readonly VectorPoint[], options?: CallOptions): Promise<void> {
    const copies = points.map((point) => ({ ...point, vector: point.vector.slice(), payload: { ...point.payload } }));
    const ids = points.map(({ id }) => id);
    const revs = points.map(({ payload }) => payload.rev);
    await this.pass({ kind: 'upsert', collection, ids, revs }, () => super.upsert(collection, copies), options);
  }

  override async delete(collection: string, deletes: readonly FencedDelete[], options?: CallOptions): Promise<void> {
    const copies = deletes.map((entry) => ({ ...entry }));
    const ids = copies.map(({ id }) => id);
    const revs = copies.map(({ rev }) => rev);
    await this.pass({ kind: 'delete', collection, ids, revs }, () => super.delete(collection, copies), options);
  }

  override async retrieve(...args: Parameters<FakeVectorStore['retrieve']>): ReturnType<FakeVectorStore['retrieve']> {
    this.check();
    return super.retrieve(...args);
  }

  override async scroll(...args: Parameters<FakeVectorStore['scroll']>): ReturnType<FakeVectorStore['scroll']> {
    this.check();
    return super.scroll(...args);
  }

  override async info(...args: Parameters<FakeVectorStore['info']>): ReturnType<FakeVectorStore['info']> {
    this.check();
    return super.info(...args);
  }

  private async pass(
    write: Pick<HeldWrite, 'kind' | 'collection' | 'ids' | 'revs'>,
    apply: () => Promise<void>,
    options?: CallOptions,
  ): Promise<void> {
    this.check();
    if (options?.signal?.aborted === true) throw new VectorStoreError('unavailable', 'The call was aborted');
    const failure = this.writeFault?.(write) ?? null;
    if (failure !== null) throw failure;
    if (!this.isHolding) return apply();
    const land = async (): Promise<void> => {
      if ((await super.info(write.collection)) !== null) await apply();
    };
    await new Promise<void>((resolve, reject) => {
      const answer = async (settle: () => void): Promise<void> => {
        await land();
        settle();
      };
      this.held.push({
        ...write,
        land,
        complete: () => answer(resolve),
        fail: reject,
        loseReply: () => answer(() => reject(new VectorStoreError('unavailable', 'The reply was lost'))),
      });
      options?.signal?.addEventListener('abort', () => reject(new VectorStoreError('unavailable', 'The call was aborted')), { once: true });
      for (const notify of this.arrivals.splice(0)) notify();
    });
  }

  private check(): void {
    if (this.outage !== null) throw this.outage;
    if (this.isBroken) throw new VectorStoreError('unavailable', 'The double has lost points and was not opened again');
  }
}
