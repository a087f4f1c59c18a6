import type { Clock } from '#kernel';
import type { VectorStore } from '../vector-store.js';

/** A store whose collections can be listed, so that those of another time can be removed. */
export type ReplicaStore = VectorStore & { listCollections(): Promise<string[]> };

/** `building`: it does not hold everything yet; `too-large`: the index has more points than copies may have. */
export type ReplicaState = 'building' | 'ready' | 'too-large';

export interface ReplicaStatus {
  readonly collection: string;
  readonly state: ReplicaState;
  /** How far behind the rows it may be; `null` unless it is ready. */
  readonly ageSeconds: number | null;
}

/** What was known when a copy was last in step with the ledger. */
export interface InStep {
  /** Monotonic clock, when the reading of the ledger began. */
  readonly readAtMs: number;
  /** Age, at that moment, of the oldest change that the index lacked; 0 = it lacked none. */
  readonly oldestPendingMs: number;
}

interface Copy {
  readonly state: ReplicaState;
  readonly inStep: InStep | null;
}

const MS_PER_SECOND = 1_000;

/**
 * The copy of serving collections in this process, under the same names: its store, and how far each copy can be trusted.
 *
 * Whoever keeps the copy (the sync engine) says how it stands; searches ask.
 */
export class SearchReplica {
  private readonly copies = new Map<string, Copy>();

  constructor(
    readonly store: ReplicaStore,
    /** Most points that copies may have together with their index. */
    readonly maxPoints: number,
    private readonly clock: Clock,
  ) {}

  /** The copy cannot answer yet, or not any more. */
  setState(collection: string, state: Exclude<ReplicaState, 'ready'>): void {
    this.copies.set(collection, { state, inStep: null });
  }

  /** The copy holds whatever the ledger said at that time. */
  setInStep(collection: string, inStep: InStep): void {
    this.copies.set(collection, { state: 'ready', inStep });
  }

  forget(collection: string): void {
    this.copies.delete(collection);
  }

  canAnswer(collection: string): boolean {
    return this.copies.get(collection)?.state === 'ready';
  }

  /** How far behind the rows the copy may be: the oldest change that the index lacked when it was in step, and all that may have changed since. */
  ageSeconds(collection: string): number | null {
    const inStep = this.copies.get(collection)?.inStep ?? null;
    if (inStep === null) return null;
    return Math.max(0, this.clock.monotonicMs() - inStep.readAtMs + inStep.oldestPendingMs) / MS_PER_SECOND;
  }

  status(): ReplicaStatus[] {
    return [...this.copies].map(([collection, { state }]) => ({ collection, state, ageSeconds: this.ageSeconds(collection) }));
  }
}
