import type { VectorStore } from '#vector-store';
import type { DatabaseSnapshot, DatabaseReader } from './read-database-side.js';
import type { DatabaseSide } from './compare-point.js';
import type { Findings } from './findings.js';
import { scrollPoints, type PointRange } from './scroll-points.js';

export interface WalkOptions {
  /** Ids per page and slice. */
  readonly pageSize: number;
  /** Behind this id; `null` = from the start. */
  readonly after: string | null;
  /** Asked after each range: whether to stop there. */
  readonly isOver: () => boolean;
  /** Called after each range, with its end. */
  readonly onRange: (upTo: string | null) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Walks database and store side by side in the order of the ids, and compares each id once. Memory is that of two ranges.
 *
 * Of every range the database is read first and the store after it (protocol rule 9); meanwhile the database reads the next range.
 */
export class IndexWalk {
  constructor(
    private readonly reader: DatabaseReader,
    private readonly store: VectorStore,
    private readonly collection: string,
    private readonly findings: Findings,
  ) {}

  /** Compares everything; returns `null`, or the last id when it was over before the end. */
  async run({ pageSize, after, isOver, onRange, signal }: WalkOptions): Promise<string | null> {
    const rangeSize = pageSize * this.store.parallelSlices;
    let next = this.reader.readRange(after, rangeSize);
    for (;;) {
      const range = await next;
      signal.throwIfAborted();
      if (range.upTo !== null) {
        next = this.reader.readRange(range.upTo, rangeSize);
        // Awaited in the next round, unless the store fails first.
        next.catch(() => undefined);
      }
      await this.compare(range, { after: range.after, upTo: range.upTo, expected: range.sides.size, pageSize, signal });
      await onRange(range.upTo);
      if (range.upTo === null) return null;
      if (isOver() || this.findings.isFull) {
        await next.catch(() => undefined);
        return range.upTo;
      }
    }
  }

  /** Compares the ids of one bucket. A point that carries the bucket of another id is seen here as well, and judged in its second look. */
  async runBucket(bucket: string, snapshot: DatabaseSnapshot, pageSize: number, signal: AbortSignal): Promise<void> {
    const filter = { kind: 'any', field: 'bucket', values: [bucket] } as const;
    await this.compare(snapshot, { after: null, upTo: null, expected: null, pageSize, filter, signal });
  }

  private async compare(snapshot: DatabaseSnapshot, range: PointRange): Promise<void> {
    const left = new Map<string, DatabaseSide>(snapshot.sides);
    await scrollPoints(this.store, this.collection, range, (points) => {
      for (const point of points) {
        this.findings.look(point.id, left.get(point.id), point);
        left.delete(point.id);
      }
    });
    for (const [id, side] of left) this.findings.look(id, side, null);
  }
}
