import { findVectorDefect, isUuid } from '#kernel';
import type { VectorFilter } from '../vector-filter.js';
import { VectorStoreError } from '../vector-store-error.js';
import type {
  CollectionInfo,
  CollectionMetadata,
  CollectionSpec,
  FencedDelete,
  PayloadIndex,
  PointPayload,
  RecommendQuery,
  ScoredPoint,
  ScrollRequest,
  VectorQuery,
} from '../vector-store.js';
import { countKept, evaluateFilter } from './filter-mask.js';
import { HnswGraph } from './hnsw-graph.js';
import { lowerCaseIds, requireUuid } from './lower-case-ids.js';
import { PointSearch } from './point-search.js';
import { PointTable } from './point-table.js';
import { averageOf, toUnitQuery } from './query-vector.js';
import { assertPaging } from './query-paging.js';

/** A batch as it crosses the thread boundary: one array of vectors instead of one per point. */
export interface PackedPoints {
  readonly ids: readonly string[];
  readonly payloads: readonly PointPayload[];
  /** Row by row. */
  readonly vectors: Float32Array;
}

/** Points with their vectors in one array, or without vectors. */
export interface PackedStoredPoints {
  readonly ids: string[];
  readonly payloads: PointPayload[];
  readonly vectors: Float32Array | null;
}

/** Points, graph and description of one collection. Every method is synchronous, so that calls never interleave. */
export class LocalCollection {
  readonly table: PointTable;
  /** Grows with every change; compared with the value that was last written to disk. */
  changes = 0;
  private graph: HnswGraph | null = null;
  private graphCursor = 0;
  private readonly search: PointSearch;
  private readonly indexes = new Map<string, PayloadIndex>();
  private readonly metadata = new Map<string, string | number>();

  /** @param exactLimit above this many candidates the graph is used and built */
  constructor(
    readonly name: string,
    readonly dimensions: number,
    private readonly exactLimit: number,
  ) {
    this.table = new PointTable(dimensions);
    this.search = new PointSearch(this.table, exactLimit);
  }

  /** Adds payload indexes and, for a new collection, metadata. Indexes are only remembered: filters read columns, which every field has. */
  complete(spec: CollectionSpec): void {
    if (spec.dimensions !== this.dimensions) {
      throw new VectorStoreError('dimension-mismatch', `Collection ${this.name} has ${this.dimensions} dimensions, not ${spec.dimensions}`);
    }
    for (const index of spec.payloadIndexes) {
      if (!this.indexes.has(index.field)) this.changes++;
      this.indexes.set(index.field, index);
    }
  }

  describe(): CollectionSpec {
    return {
      name: this.name,
      dimensions: this.dimensions,
      payloadIndexes: [...this.indexes.values()],
      metadata: Object.fromEntries(this.metadata),
    };
  }

  upsert({ ids, payloads, vectors }: PackedPoints): void {
    if (vectors.length !== ids.length * this.dimensions) {
      throw new VectorStoreError('dimension-mismatch', `Collection ${this.name} takes vectors of ${this.dimensions} dimensions`);
    }
    const lowered = ids.map((id, index) => this.checkPoint(id, payloads[index]!, this.vectorOf(vectors, index)));
    lowered.forEach((id, index) => this.upsertOne(id, this.vectorOf(vectors, index), payloads[index]!));
  }

  delete(deletes: readonly FencedDelete[]): void {
    const lowered = deletes.map(({ id, rev }) => ({ id: requireUuid(id), rev }));
    for (const { id, rev } of lowered) {
      const row = this.table.rowOf(id);
      if (row === undefined) continue;
      const stored = this.table.revAt(row);
      if (stored === undefined || stored >= rev) continue;
      this.graph?.remove(row);
      const { fromRow, toRow } = this.table.removeRow(row);
      if (fromRow !== toRow) this.graph?.move(fromRow, toRow);
      this.changes++;
    }
  }

  query({ vector, limit, offset = 0, threshold = -Infinity, filter }: VectorQuery): ScoredPoint[] {
    assertPaging(limit, offset);
    if (vector.length !== this.dimensions) {
      throw new VectorStoreError(
        'dimension-mismatch',
        `Collection ${this.name} takes queries of ${this.dimensions} dimensions, not ${vector.length}`,
      );
    }
    const checked = filter === undefined ? null : lowerCaseIds(filter);
    return this.search.query({ vector: toUnitQuery(vector), limit, offset, threshold, filter: checked }, this.graph);
  }

  recommend({ positive, negative = [], limit, offset = 0, threshold = -Infinity, filter }: RecommendQuery): ScoredPoint[] {
    assertPaging(limit, offset);
    if (positive.length === 0) throw new VectorStoreError('rejected', 'A recommendation needs a positive example');
    const target = averageOf(this.examples(positive), this.examples(negative), this.dimensions);
    const examples: VectorFilter = { kind: 'not', filter: { kind: 'ids', ids: [...positive, ...negative] } };
    const combined = lowerCaseIds(filter === undefined ? examples : { kind: 'and', filters: [examples, filter] });
    return this.search.query({ vector: target, limit, offset, threshold, filter: combined }, this.graph);
  }

  scroll({ after, limit, filter, hasVectors = false }: ScrollRequest): {
    readonly rows: number[];
    readonly next: string | null;
    readonly hasVectors: boolean;
  } {
    assertPaging(limit, 0);
    const mask = filter === undefined ? null : evaluateFilter(lowerCaseIds(filter), this.table);
    const rows: number[] = [];
    let next: string | null = null;
    this.table.forEachInOrder(after === undefined ? null : requireUuid(after), (_id, row) => {
      if (mask !== null && mask[row] === 0) return true;
      if (rows.length === limit) {
        next = this.table.idAt(rows[limit - 1]!);
        return false;
      }
      rows.push(row);
      return true;
    });
    return { rows, next, hasVectors };
  }

  rowsOf(ids: readonly string[]): number[] {
    const rows = new Set<number>();
    for (const id of ids) {
      const row = this.table.rowOf(requireUuid(id));
      if (row !== undefined) rows.add(row);
    }
    return [...rows];
  }

  pack(rows: readonly number[], hasVectors: boolean): PackedStoredPoints {
    const { table, dimensions } = this;
    const vectors = hasVectors ? new Float32Array(rows.length * dimensions) : null;
    rows.forEach((row, index) => vectors?.set(table.vectors.at(row), index * dimensions));
    return { ids: rows.map((row) => table.idAt(row)), payloads: rows.map((row) => table.payloads.get(row)), vectors };
  }

  count(filter?: VectorFilter): number {
    return filter === undefined ? this.table.length : countKept(evaluateFilter(lowerCaseIds(filter), this.table));
  }

  countByBucket(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const bucket of this.table.cellsOf('bucket') ?? []) {
      if (typeof bucket === 'string') counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
    }
    return counts;
  }

  info(): CollectionInfo {
    return {
      dimensions: this.dimensions,
      status: this.isGraphBehind() ? 'yellow' : 'green',
      pointsCount: this.table.length,
      indexedVectorsCount: this.graph?.size ?? 0,
      metadata: Object.fromEntries(this.metadata),
    };
  }

  setMetadata(metadata: CollectionMetadata): void {
    for (const [key, value] of Object.entries(metadata)) {
      if (value === null) this.metadata.delete(key);
      else this.metadata.set(key, value);
    }
    this.changes++;
  }

  /** Whether the graph is to be built further, or given up. */
  hasGraphWork(): boolean {
    return this.isGraphBehind() || this.isGraphIdle();
  }

  /** Builds the graph further until it is complete or the time is over. Gives it up when a scan has long become enough. */
  buildGraph(budgetMs: number): void {
    if (this.isGraphIdle()) this.graph = null;
    if (!this.isGraphBehind()) return;
    this.graph ??= new HnswGraph(this.dimensions);
    const endMs = performance.now() + budgetMs;
    do {
      // The cursor goes round: rows behind it may have been replaced since.
      while (this.graphCursor >= this.table.length || this.graph.has(this.graphCursor)) {
        this.graphCursor = this.graphCursor + 1 >= this.table.length ? 0 : this.graphCursor + 1;
      }
      this.graph.add(this.graphCursor, this.table.vectors.at(this.graphCursor));
    } while (this.graph.size < this.table.length && performance.now() < endMs);
  }

  private isGraphBehind(): boolean {
    return this.table.length > this.exactLimit && this.table.length > (this.graph?.size ?? 0);
  }

  /** At half the limit, so that a count that swings around the limit does not build again and again. */
  private isGraphIdle(): boolean {
    return this.graph !== null && this.table.length * 2 < this.exactLimit;
  }

  private checkPoint(id: string, { rev }: PointPayload, vector: Float32Array): string {
    if (!isUuid(id)) throw new VectorStoreError('invalid-point', 'A point id must be a hyphenated UUID');
    if (!Number.isSafeInteger(rev) || rev < 1)
      throw new VectorStoreError('invalid-point', `Point ${id}: rev must be a safe integer above 0`);
    const defect = findVectorDefect(vector, this.dimensions);
    if (defect !== null) throw new VectorStoreError('invalid-point', `Point ${id}: the vector is ${defect}`);
    return id.toLowerCase();
  }

  private upsertOne(id: string, vector: Float32Array, payload: PointPayload): void {
    const unit = toUnitQuery(vector);
    const row = this.table.rowOf(id);
    if (row === undefined) {
      this.table.append(id, unit, payload);
    } else {
      const stored = this.table.revAt(row);
      if (stored !== undefined && stored >= payload.rev) return;
      // A change of payload alone leaves the graph as it is.
      if (!this.table.vectors.equals(row, unit)) this.graph?.remove(row);
      this.table.replace(row, unit, payload);
    }
    this.changes++;
  }

  private vectorOf(vectors: Float32Array, index: number): Float32Array {
    return vectors.subarray(index * this.dimensions, (index + 1) * this.dimensions);
  }

  private examples(ids: readonly string[]): Float32Array[] {
    return ids.map((id) => {
      const row = this.table.rowOf(requireUuid(id));
      if (row === undefined) throw new VectorStoreError('point-missing', `No point ${id} in collection ${this.name}`);
      return this.table.vectors.at(row);
    });
  }
}
