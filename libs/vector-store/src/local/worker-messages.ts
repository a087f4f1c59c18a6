import type { VectorFilter } from '../vector-filter.js';
import type { VectorStoreErrorKind } from '../vector-store-error.js';
import type {
  CollectionInfo,
  CollectionMetadata,
  CollectionSpec,
  FencedDelete,
  RecommendQuery,
  ScoredPoint,
  ScrollRequest,
  VectorQuery,
} from '../vector-store.js';
import type { PackedPoints, PackedStoredPoints } from './local-collection.js';
import type { LoadReport } from './local-engine.js';

interface OnCollection {
  readonly collection: string;
}

/** What the worker can be asked, and what it answers. */
export interface WorkerOperations {
  load: { args: null; result: LoadReport };
  ping: { args: null; result: { readonly collectionsCount: number } };
  listCollections: { args: null; result: string[] };
  ensureIndex: { args: CollectionSpec; result: boolean };
  upsert: { args: OnCollection & { readonly points: PackedPoints }; result: null };
  delete: { args: OnCollection & { readonly deletes: readonly FencedDelete[] }; result: null };
  query: { args: OnCollection & { readonly queries: readonly VectorQuery[] }; result: ScoredPoint[][] };
  recommend: { args: OnCollection & { readonly query: RecommendQuery }; result: ScoredPoint[] };
  scroll: {
    args: OnCollection & { readonly request: ScrollRequest };
    result: { readonly points: PackedStoredPoints; readonly next: string | null };
  };
  retrieve: { args: OnCollection & { readonly ids: readonly string[]; readonly hasVectors: boolean }; result: PackedStoredPoints };
  count: { args: OnCollection & { readonly filter: VectorFilter | undefined }; result: number };
  countByBucket: { args: OnCollection; result: Map<string, number> };
  info: { args: OnCollection; result: CollectionInfo | null };
  setMetadata: { args: OnCollection & { readonly metadata: CollectionMetadata }; result: null };
  setAlias: { args: OnCollection & { readonly alias: string }; result: null };
  getAlias: { args: { readonly alias: string }; result: string | null };
  snapshot: { args: OnCollection; result: string };
  drop: { args: OnCollection; result: boolean };
  /** Writes every collection that has changed. */
  close: { args: null; result: null };
}

export type WorkerOperation = keyof WorkerOperations;

export interface WorkerRequest<Operation extends WorkerOperation = WorkerOperation> {
  readonly id: number;
  readonly operation: Operation;
  readonly args: WorkerOperations[Operation]['args'];
}

export interface WorkerFailure {
  readonly kind: VectorStoreErrorKind;
  readonly message: string;
}

/** An answer to a request, or news that nobody asked for. */
export type WorkerReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failure: WorkerFailure }
  | { readonly event: 'snapshot-failed'; readonly collection: string; readonly message: string };

export interface WorkerSettings {
  readonly folder: string;
  readonly exactLimit: number;
  readonly snapshotIntervalMs: number;
}
