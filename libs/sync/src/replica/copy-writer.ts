import type { UnitOfWork } from '#database';
import type { FencedDelete, VectorPoint, VectorStore } from '#vector-store';
import type { IndexGeneration } from '../generations/index-generation.js';
import { payloadHashOf } from '../hashing.js';
import type { IndexDocument, IndexSource } from '../index-source.js';
import { getEntries, type LedgerEntry } from '../ledger/list-entries.js';
import { toPoint } from '../relay/to-point.js';
import type { CopyVerdict } from './judge-copy.js';
import { readCopiedVectors } from './read-copied-vectors.js';

/** An id whose copy differs. */
export interface CopyDifference {
  readonly sourceId: string;
  readonly verdict: Exclude<CopyVerdict, 'same'>;
}

export interface WrittenCopies {
  readonly written: number;
  readonly removed: number;
  /** Rows that have changed since the index took them: what it holds cannot be made again, and a newer entry will follow. */
  readonly movedOn: number;
  /** The cache lacks their vector; only embedding the row again brings it back. */
  readonly withoutVector: number;
}

interface Snapshot {
  readonly entries: ReadonlyMap<string, LedgerEntry>;
  readonly documents: ReadonlyMap<string, IndexDocument>;
  /** By the hex of the text hash. */
  readonly vectors: ReadonlyMap<string, Float32Array>;
}

/** Higher than every rev, so that the copy's own fence never keeps what has to go. */
const ANY_REV = Number.MAX_SAFE_INTEGER;

/** Makes points of the copy equal to what the index holds: bookkeeping from the ledger, payload from the row, vector from the cache. */
export class CopyWriter {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly store: VectorStore,
    private readonly generation: IndexGeneration,
    private readonly source: IndexSource,
  ) {}

  async apply(differences: readonly CopyDifference[]): Promise<WrittenCopies> {
    if (differences.length === 0) return { written: 0, removed: 0, movedOn: 0, withoutVector: 0 };
    const snapshot = await this.read(differences);
    const removals: FencedDelete[] = [];
    const points: VectorPoint[] = [];
    let [movedOn, withoutVector, removed] = [0, 0, 0];
    for (const { sourceId, verdict } of differences) {
      const entry = snapshot.entries.get(sourceId);
      if (entry === undefined || entry.indexedVersion === null) {
        removals.push({ id: sourceId, rev: ANY_REV });
        removed++;
        continue;
      }
      if (verdict !== 'write') removals.push({ id: sourceId, rev: ANY_REV });
      const point = this.pointOf(entry, snapshot);
      if (point === 'moved-on') movedOn++;
      else if (point === 'without-vector') withoutVector++;
      else points.push(point);
    }
    const { collection } = this.generation;
    await this.store.delete(collection, removals);
    await this.store.upsert(collection, points);
    return { written: points.length, removed, movedOn, withoutVector };
  }

  /** Ledger, rows and vectors in one snapshot, as the relay reads them (rule 3): a row never meets the bookkeeping of another version of it. */
  private async read(differences: readonly CopyDifference[]): Promise<Snapshot> {
    const ids = differences.map(({ sourceId }) => sourceId);
    return this.unitOfWork.run(
      async (session) => {
        const entries = await getEntries(session, this.generation.id, ids);
        const indexed = entries.filter(({ indexedVersion }) => indexedVersion !== null);
        const documents =
          indexed.length === 0
            ? []
            : await this.source.load(
                indexed.map(({ sourceId }) => sourceId),
                session,
              );
        const hashes = indexed.flatMap(({ indexedHash }) => (indexedHash === null ? [] : [indexedHash]));
        return {
          entries: new Map(entries.map((entry) => [entry.sourceId, entry])),
          documents: new Map(documents.map((document) => [document.id, document])),
          vectors: await readCopiedVectors(session, hashes, this.generation.dimensions),
        };
      },
      { isolation: 'REPEATABLE READ', isReadOnly: true },
    );
  }

  private pointOf(entry: LedgerEntry, { documents, vectors }: Snapshot): VectorPoint | 'moved-on' | 'without-vector' {
    const { sourceId, indexedVersion, indexedHash, indexedPayloadHash } = entry;
    const document = documents.get(sourceId);
    // The ledger knows the payload by its hash only. The text may have changed: the vector is that of the text that was indexed.
    if (document === undefined || payloadHashOf(document.payload).toString('hex') !== indexedPayloadHash) return 'moved-on';
    const vector = vectors.get(indexedHash!);
    if (vector === undefined) return 'without-vector';
    const item = {
      entry: { sourceId },
      rev: indexedVersion!,
      document,
      textHashHex: indexedHash!,
      payloadHash: Buffer.from(indexedPayloadHash, 'hex'),
    };
    return toPoint(item, vector, this.generation.modelRev);
  }
}
