import type { VectorFilter } from '../vector-filter.js';
import type { ScoredPoint } from '../vector-store.js';
import { isGatherCheaper, scanAll, scanKept, scanRows, SCORE_TOLERANCE, type Candidates } from './exact-scan.js';
import { countKept, evaluateFilter, type RowMask } from './filter-mask.js';
import type { HnswGraph } from './hnsw-graph.js';
import { CoarseScan } from './coarse-scan.js';
import type { PointTable } from './point-table.js';

export interface PointQuery {
  /** Of norm 1, at byte 0 of its own buffer. */
  readonly vector: Float32Array;
  readonly limit: number;
  readonly offset: number;
  readonly threshold: number;
  /** Ids in lower case. */
  readonly filter: VectorFilter | null;
}

/** Candidates beyond what is wanted: room for ties, and for the difference between native float32 sums and exact scores. */
const SPARE_CANDIDATES = 16;
const WIDEN_FACTOR = 4;
/** int8 distances misplace neighbours: with 3 times and at least 50 more than wanted, recall@10 was 0.999 at 100,000 rows. */
const GRAPH_OVERFETCH = 3;
const GRAPH_SPARE = 50;
/** Above this an approximate search costs as much as a scan. */
const GRAPH_MAX_CANDIDATES = 2048;
/** Rows that are not in the graph yet are gathered and scanned; beyond this share of all rows one scan of everything is cheaper. */
const PENDING_SHARE = 1 / 16;

interface Hit {
  readonly row: number;
  readonly score: number;
}

/**
 * Answers queries over a table: exactly while at most `exactLimit` rows are candidates, else by the graph with exact scores.
 *
 * Scores are dot products in double precision, so that order, ties and threshold do not depend on the way the candidates were found.
 */
export class PointSearch {
  private readonly coarse: CoarseScan;

  constructor(
    private readonly table: PointTable,
    private readonly exactLimit: number,
  ) {
    this.coarse = new CoarseScan(table);
  }

  /** Never returns fewer than the limit when enough points satisfy filter and threshold. `graph` null = scan. */
  query(query: PointQuery, graph: HnswGraph | null): ScoredPoint[] {
    const { table } = this;
    if (table.length === 0) return [];
    const mask = query.filter === null ? null : evaluateFilter(query.filter, table);
    const eligible = mask === null ? table.length : countKept(mask);
    const want = Math.min(query.limit + query.offset, eligible);
    if (want === 0) return [];
    const approximate = eligible > this.exactLimit && graph !== null ? this.searchGraph(query, graph, mask, eligible, want) : null;
    const hits = approximate ?? this.searchExactly(query, mask, eligible, want);
    const end = Math.min(want, hits.length);
    const points: ScoredPoint[] = [];
    for (let i = query.offset; i < end && hits[i]!.score >= query.threshold; i++) {
      points.push({ id: table.idAt(hits[i]!.row), score: hits[i]!.score });
    }
    return points;
  }

  private searchExactly({ vector, threshold }: PointQuery, mask: RowMask | null, eligible: number, want: number): Hit[] {
    const { table } = this;
    if (mask === null && table.length <= this.exactLimit) {
      const found = this.coarse.find(vector, want);
      const hits = found === null ? [] : this.score(found, vector, null);
      if (found !== null && isSettled(hits, found, want, threshold)) return hits;
    }
    const isGathered = mask !== null && isGatherCheaper(eligible, table.length);
    const total = isGathered ? eligible : table.length;
    // A scan of everything must look deeper when only some of the rows count.
    let limit = Math.ceil((want * total) / eligible) + SPARE_CANDIDATES;
    for (;;) {
      const found = isGathered ? scanKept(table, vector, mask, eligible, limit) : scanAll(table, vector, limit);
      const hits = this.score(found, vector, isGathered ? null : mask);
      if (isSettled(hits, found, want, threshold)) return hits;
      limit *= WIDEN_FACTOR;
    }
  }

  /** Returns `null` when the graph cannot answer well: then the caller scans. */
  private searchGraph(
    { vector, threshold }: PointQuery,
    graph: HnswGraph,
    mask: RowMask | null,
    eligible: number,
    want: number,
  ): Hit[] | null {
    const { table } = this;
    const pending = table.length - graph.size;
    if (pending > table.length * PENDING_SHARE) return null;
    const overfetched = Math.max(want * GRAPH_OVERFETCH, want + GRAPH_SPARE);
    const limit = Math.ceil((overfetched * table.length) / eligible);
    if (limit > GRAPH_MAX_CANDIDATES) return null;
    const rows = graph.search(vector, limit);
    const found = this.score({ rows, bound: -Infinity }, vector, mask);
    const worst = rows.reduce((lowest, row) => Math.min(lowest, table.vectors.dot(row, vector)), Infinity);
    const missing = this.pendingRows(graph, pending);
    if (missing.length > 0) {
      const scanned = scanRows(table, vector, missing, mask === null ? want + SPARE_CANDIDATES : missing.length);
      found.push(...this.score(scanned, vector, mask));
      sortHits(found, table);
    }
    const isEnough = found.length >= want || worst < threshold;
    return isEnough ? found : null;
  }

  private pendingRows(graph: HnswGraph, pending: number): Uint32Array {
    const rows = new Uint32Array(pending);
    let next = 0;
    for (let row = 0; next < pending; row++) if (!graph.has(row)) rows[next++] = row;
    return rows;
  }

  private score({ rows }: Candidates, vector: Float32Array, mask: RowMask | null): Hit[] {
    const hits: Hit[] = [];
    for (const row of rows) {
      if (mask === null || mask[row] === 1) hits.push({ row, score: clampCosine(this.table.vectors.dot(row, vector)) });
    }
    return sortHits(hits, this.table);
  }
}

/** Whether no row that was left out can belong to the best `want`, ties included, or reach the threshold. */
function isSettled(hits: readonly Hit[], { bound }: Candidates, want: number, threshold: number): boolean {
  if (bound === -Infinity || bound + SCORE_TOLERANCE < threshold) return true;
  return hits.length >= want && bound + SCORE_TOLERANCE < hits[want - 1]!.score;
}

function sortHits(hits: Hit[], table: PointTable): Hit[] {
  return hits.sort((a, b) => b.score - a.score || (table.idAt(a.row) < table.idAt(b.row) ? -1 : 1));
}

function clampCosine(score: number): number {
  return Math.max(-1, Math.min(1, score));
}
