import type { SqlSession } from '#database';
import { VectorStoreError, type CallOptions, type VectorStore } from '#vector-store';
import { ErasurePlace, type PlaceFinding } from '../erasure-place.js';
import type { ErasureSubject } from '../erasure.js';
import { INDEX_PLACE } from './index-places.js';

/* Also retired ones, until their collections are removed. */
const GENERATIONS = 'SELECT id, collection, state FROM index_generations WHERE source = $1 AND dropped_at IS NULL ORDER BY id';
const HAS_ENTRIES = 'SELECT 1 FROM index_ledger WHERE generation_id = $1 AND source_id = ANY($2::uuid[]) LIMIT 1';
/* Of a point without an entry; the relay will find no row, and delete it. */
const MARK = 'SELECT public.kindred_mark_changed($1, $2::uuid[])';

const IDS_PER_CALL = 500;

interface Generation {
  readonly id: number;
  readonly collection: string;
  readonly state: string;
}

/** The points, in the collection of every generation: asked by id, and absent when the ledger waits for nothing any more. */
export class IndexPlace extends ErasurePlace {
  readonly name = INDEX_PLACE;

  constructor(
    private readonly session: SqlSession,
    private readonly store: VectorStore,
  ) {
    super();
  }

  override get waitsForIndex(): boolean {
    return false;
  }

  async erase({ source, pointIds }: ErasureSubject, signal: AbortSignal): Promise<PlaceFinding[]> {
    const { rows: generations } = await this.session.query<Generation>(GENERATIONS, [source]);
    const findings: PlaceFinding[] = [];
    for (const generation of generations) {
      const part = generation.collection;
      try {
        findings.push({ part, ...(await this.eraseIn(generation, source, pointIds, { signal })) });
      } catch (error) {
        if (!(error instanceof VectorStoreError) || error.kind !== 'collection-missing') throw error;
        findings.push({ part, isGone: true, detail: 'there is no such collection' });
      }
    }
    return findings;
  }

  private async eraseIn(generation: Generation, source: string, ids: readonly string[], options: CallOptions): Promise<PlaceFinding> {
    if (generation.state === 'retired') return this.eraseRetired(generation, ids, options);
    const { rows } = await this.session.query(HAS_ENTRIES, [generation.id, ids]);
    if (rows.length > 0) return { isGone: false, detail: 'waits for the relay, and for the grace after it' };
    const left = await this.find(generation.collection, ids, options);
    if (left.length > 0) {
      await this.session.query(MARK, [source, left]);
      return { isGone: false, detail: `${left.length} points without an entry were handed to the relay` };
    }
    return { isGone: true, ...(await this.forgetSnapshot(generation.collection, options)) };
  }

  /** No relay writes there any more, so nobody can be overtaken. */
  private async eraseRetired({ collection }: Generation, ids: readonly string[], options: CallOptions): Promise<PlaceFinding> {
    const left = await this.find(collection, ids, options);
    if (left.length > 0) {
      const deletes = left.map((id) => ({ id, rev: Number.MAX_SAFE_INTEGER }));
      await this.store.delete(collection, deletes, options);
    }
    const isGone = left.length === 0 || (await this.find(collection, left, options)).length === 0;
    return { isGone, removed: left.length, ...(isGone ? await this.forgetSnapshot(collection, options) : {}) };
  }

  private async find(collection: string, ids: readonly string[], options: CallOptions): Promise<string[]> {
    const found: string[] = [];
    for (let start = 0; start < ids.length; start += IDS_PER_CALL) {
      const points = await this.store.retrieve(collection, ids.slice(start, start + IDS_PER_CALL), options);
      found.push(...points.map(({ id }) => id));
    }
    return found;
  }

  /** The local index has a file of what it held a while ago; a server would be given one more copy by this. */
  private async forgetSnapshot(collection: string, options: CallOptions): Promise<Pick<PlaceFinding, 'detail'>> {
    if (this.store.source !== 'local') return {};
    await this.store.snapshot(collection, options);
    return { detail: 'its snapshot on the disk was written anew' };
  }
}
