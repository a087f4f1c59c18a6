import type { UnitOfWork } from '#database';
import { isUuid } from '#kernel';
import type { VectorFilter, VectorStore } from '#vector-store';
import { bucketOf } from '../hashing.js';
import type { IndexSource } from '../index-source.js';
import type { DifferingBuckets } from './bucket-counts.js';
import type { Findings } from './findings.js';
import { IndexWalk } from './index-walk.js';
import type { DatabaseReader } from './read-database-side.js';

/** The 256 buckets. */
export const BUCKETS: readonly string[] = Array.from({ length: 256 }, (_, bucket) => bucket.toString(16).padStart(2, '0'));

/** Points that carry none of the 256 buckets: foreign, or damaged. */
export const WITHOUT_BUCKET: VectorFilter = { kind: 'not', filter: { kind: 'any', field: 'bucket', values: BUCKETS } };

/** Above this, one walk over everything is cheaper than that many scans of the ledger. */
const BUCKETS_MAXIMUM = 32;
/** Ids only, so that a page may be large. */
const ID_PAGE_SIZE = 10_000;

export interface BucketWalkParts {
  readonly unitOfWork: UnitOfWork;
  readonly store: VectorStore;
  readonly reader: DatabaseReader;
  readonly source: IndexSource;
  readonly collection: string;
  readonly findings: Findings;
  readonly pageSize: number;
}

/** Compares the ids of some buckets. */
export class BucketWalk {
  private readonly walk: IndexWalk;

  constructor(private readonly parts: BucketWalkParts) {
    const { reader, store, collection, findings } = parts;
    this.walk = new IndexWalk(reader, store, collection, findings);
  }

  /** Compares the ids of the buckets and, where `hasUnbucketed`, the points that carry none of the 256. */
  async run({ all, withUnknownRows }: DifferingBuckets, hasUnbucketed: boolean, signal: AbortSignal): Promise<void> {
    const { reader, pageSize, findings } = this.parts;
    if (all.length > BUCKETS_MAXIMUM) {
      await this.walk.run({ pageSize, after: null, isOver: () => false, onRange: () => Promise.resolve(), signal });
      return;
    }
    const unknown = withUnknownRows.length === 0 ? new Map<string, string[]>() : await this.listRows(new Set(withUnknownRows), signal);
    for (const bucket of all) {
      signal.throwIfAborted();
      const snapshot = await reader.readBucket(bucket, unknown.get(bucket) ?? []);
      await this.walk.runBucket(bucket, snapshot, pageSize, signal);
    }
    if (hasUnbucketed) await this.runUnbucketed(signal);
    // A point that carries the bucket of another id was met twice: missing in the one, unknown in the other.
    findings.suspects = [...new Map(findings.suspects.map((suspect) => [suspect.id, suspect])).values()];
  }

  /** The points are read first here; what differs is judged in the second look, which reads the database first. */
  private async runUnbucketed(signal: AbortSignal): Promise<void> {
    const { store, collection, findings, reader, pageSize } = this.parts;
    for (let after: string | undefined; ;) {
      const page = await store.scroll(collection, { limit: pageSize, filter: WITHOUT_BUCKET, after }, { signal });
      const { sides } = await reader.readIds(page.points.map(({ id }) => id).filter(isUuid));
      for (const point of page.points) findings.look(point.id, sides.get(point.id), point);
      if (page.next === null || findings.isFull) return;
      after = page.next;
    }
  }

  /** The source lists by id only, so all ids are read for the sake of these buckets. */
  private async listRows(buckets: ReadonlySet<string>, signal: AbortSignal): Promise<Map<string, string[]>> {
    const { source, unitOfWork } = this.parts;
    const found = new Map<string, string[]>([...buckets].map((bucket) => [bucket, []]));
    for (let after: string | null = null; ;) {
      signal.throwIfAborted();
      const ids: string[] = await source.listIds(after, ID_PAGE_SIZE, unitOfWork);
      for (const id of ids) found.get(bucketOf(id))?.push(id);
      if (ids.length < ID_PAGE_SIZE) return found;
      after = ids.at(-1)!;
    }
  }
}
