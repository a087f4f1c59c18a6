import type { SqlSession, UnitOfWork } from '#database';
import { payloadHashOf, textHashOf } from '../hashing.js';
import type { IndexGeneration } from '../generations/index-generation.js';
import type { IndexDocument, IndexSource } from '../index-source.js';
import { getEntries, listBucketEntries, listEntries, type LedgerEntry } from '../ledger/list-entries.js';
import type { DatabaseSide, RowState } from './compare-point.js';

/** What the database says about a set of ids, all of it in one snapshot. */
export interface DatabaseSnapshot {
  /** By id; ids that have neither entry nor row are absent. */
  readonly sides: ReadonlyMap<string, DatabaseSide>;
}

/** The next ids behind `after`. */
export interface DatabaseRange extends DatabaseSnapshot {
  /** Exclusive; `null` = from the start. */
  readonly after: string | null;
  /** Inclusive; `null` = to the end of all ids. */
  readonly upTo: string | null;
}

const SNAPSHOT = { isolation: 'REPEATABLE READ', isReadOnly: true } as const;

/** The database's side of a comparison: ledger and rows in one snapshot, with hashes that are recomputed from the rows. */
export class DatabaseReader {
  /** Whether text hashes can be recomputed: not when rows are rendered otherwise now than when the generation was built. */
  readonly isTextVerified: boolean;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly generation: IndexGeneration,
    private readonly source: IndexSource,
  ) {
    this.isTextVerified = source.templateRev === generation.templateRev;
  }

  /**
   * Reads the next ids of ledger and rows together, at most `limit` of each. The range ends where the shorter one of the two pages does, so that both
   * sides of it are whole.
   */
  async readRange(after: string | null, limit: number): Promise<DatabaseRange> {
    return this.unitOfWork.run(async (session) => {
      const entries = await listEntries(session, this.generation.id, after, limit);
      const ids = await this.source.listIds(after, limit, session);
      const upTo = lowest(entries.length < limit ? null : entries.at(-1)!.sourceId, ids.length < limit ? null : ids.at(-1)!);
      // A source that does not list in the order of the ids would make the walk go round for ever.
      if (after !== null && upTo !== null && upTo <= after) throw new Error(`The source ${this.source.name} lists ids out of order`);
      const isWithin = (id: string): boolean => upTo === null || id <= upTo;
      const sides = await this.join(
        session,
        entries.filter(({ sourceId }) => isWithin(sourceId)),
        ids.filter(isWithin),
      );
      return { after, upTo, sides };
    }, SNAPSHOT);
  }

  /** Reads ids anew, each in the same snapshot as the others. */
  async readIds(ids: readonly string[]): Promise<DatabaseSnapshot> {
    return this.unitOfWork.run(async (session) => {
      const entries = await getEntries(session, this.generation.id, ids);
      return { sides: await this.join(session, entries, ids) };
    }, SNAPSHOT);
  }

  /** Reads the ids of one bucket that the ledger knows, and `unknownIds`, which it may not. */
  async readBucket(bucket: string, unknownIds: readonly string[]): Promise<DatabaseSnapshot> {
    return this.unitOfWork.run(async (session) => {
      const entries = await listBucketEntries(session, this.generation.id, bucket);
      return { sides: await this.join(session, entries, [...new Set([...entries.map(({ sourceId }) => sourceId), ...unknownIds])]) };
    }, SNAPSHOT);
  }

  private async join(session: SqlSession, entries: readonly LedgerEntry[], ids: readonly string[]): Promise<Map<string, DatabaseSide>> {
    const documents = ids.length === 0 ? [] : await this.source.load(ids, session);
    const rows = new Map(documents.map((document) => [document.id, document]));
    const sides = new Map<string, DatabaseSide>();
    for (const entry of entries) sides.set(entry.sourceId, { entry, row: this.stateOf(rows.get(entry.sourceId)) });
    for (const [id, document] of rows) if (!sides.has(id)) sides.set(id, { entry: null, row: this.stateOf(document) });
    return sides;
  }

  private stateOf(document: IndexDocument | undefined): RowState | null {
    if (document === undefined) return null;
    const { modelRev, templateRev } = this.generation;
    return {
      payload: document.payload,
      textHash: this.isTextVerified ? textHashOf(modelRev, templateRev, document.text).toString('hex') : null,
      payloadHash: payloadHashOf(document.payload).toString('hex'),
    };
  }
}

function lowest(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}
