import type { SqlSession } from '#database';
import type { EmbedderDescriptor, EmbedderRegistry } from '#embeddings';
import { payloadHashOf, textHashOf, type IndexDocument, type IndexSource } from '#sync';
import type { StoredPoint, VectorStore } from '#vector-store';

const PAGE_SIZE = 1_000;
/** So many values of each keyword field are looked up by filter as well. */
const FILTER_VALUES = 20;
/** Embeddings are deterministic, but the store may keep fewer digits. */
const SAME_VECTOR_COSINE = 0.9999;

export interface IndexCheckerParts {
  readonly session: SqlSession;
  /** On a connection of its own, past any proxy. */
  readonly store: VectorStore;
  readonly source: IndexSource;
  /** Vectors are compared too when it is given. */
  readonly embedders?: EmbedderRegistry;
  /** Attempts that the relays may make (I9). Default 10. */
  readonly maxAttempts?: number;
}

interface Generation {
  id: number;
  collection: string;
  model_rev: string;
  template_rev: string;
  embedder: EmbedderDescriptor;
}

interface Entry {
  source_id: string;
  state: string;
  indexed_version: string | null;
  attempts: number;
  last_error: { code?: string } | null;
}

/**
 * Says what differs between rows and index at rest, from PostgreSQL and the store alone: it knows nothing of relays and asks no service.
 *
 * I1 no row is missing. I2 no point without a row. I3 a point is its row: text, payload, model, vector; found by id and by filter alike. I6 nothing is
 * pending, and what is dead has a reason. I9 nothing was tried too often. (I4 needs a look at every moment: see `RevWatch`.)
 */
export class IndexChecker {
  constructor(private readonly parts: IndexCheckerParts) {}

  /** The serving generation's differences in words, one each; empty when row and index agree. */
  async differences(): Promise<string[]> {
    const generation = await this.generation();
    const [documents, points, entries] = [await this.documents(), await this.points(generation), await this.entries(generation)];
    const found: string[] = [];
    for (const [id, document] of documents) {
      const entry = entries.get(id);
      if (entry?.state === 'dead') {
        if (entry.last_error?.code === undefined) found.push(`I6 ${id} is dead without a reason`);
        continue;
      }
      found.push(...(await this.compare(generation, document, points.get(id), entry)));
    }
    for (const id of points.keys()) if (!documents.has(id)) found.push(`I2 ${id} is in the index without a row`);
    for (const entry of entries.values()) {
      if (entry.state === 'pending') found.push(`I6 ${entry.source_id} is pending`);
      if (entry.attempts > (this.parts.maxAttempts ?? 10)) found.push(`I9 ${entry.source_id} was tried ${entry.attempts} times`);
    }
    return [...found, ...(await this.compareByFilter(generation, documents, entries))];
  }

  /** How many entries are neither at rest nor dead; cheap, for waiting. */
  async pending(): Promise<number> {
    const { rows } = await this.parts.session.query<{ pending: number }>(
      `SELECT count(*)::integer AS pending FROM index_ledger l JOIN index_generations g ON g.id = l.generation_id
       WHERE g.source = $1 AND g.state = 'serving' AND l.state = 'pending'`,
      [this.parts.source.name],
    );
    return rows[0]!.pending;
  }

  async generation(): Promise<Generation> {
    const { rows } = await this.parts.session.query<Generation>(
      `SELECT id, collection, model_rev, template_rev, embedder FROM index_generations WHERE source = $1 AND state = 'serving'`,
      [this.parts.source.name],
    );
    if (rows[0] === undefined) throw new Error('No generation is serving');
    return rows[0];
  }

  private async compare(generation: Generation, document: IndexDocument, point?: StoredPoint, entry?: Entry): Promise<string[]> {
    const { id } = document;
    if (point === undefined) return [`I1 ${id} is not in the index (${entry?.state ?? 'no entry'})`];
    const { payload, vector } = point;
    const found: string[] = [];
    const expected = textHashOf(generation.model_rev, generation.template_rev, document.text).toString('hex');
    if (payload.text_hash !== expected) found.push(`I3 ${id} has the text of another version (rev ${payload.rev})`);
    if (payload.payload_hash !== payloadHashOf(document.payload).toString('hex'))
      found.push(`I3 ${id} has the payload hash of another version`);
    for (const [field, value] of Object.entries(document.payload)) {
      if ((payload[field] ?? null) !== value) found.push(`I3 ${id} has ${field} ${payload[field]} instead of ${value}`);
    }
    if (payload.model_rev !== generation.model_rev) found.push(`I3 ${id} is from another model`);
    if (entry?.state === 'synced' && Number(entry.indexed_version) !== payload.rev) {
      found.push(`I3 ${id} has rev ${payload.rev}, its entry ${entry.indexed_version}`);
    }
    if (this.parts.embedders !== undefined) {
      const [fresh] = await this.parts.embedders.get(generation.embedder).embedDocuments([document.text]);
      if (cosine(fresh!.vector, vector!) < SAME_VECTOR_COSINE) found.push(`I3 ${id} has the vector of another text`);
    }
    return found;
  }

  /** What a filter finds must be what the rows say. */
  private async compareByFilter(
    generation: Generation,
    documents: ReadonlyMap<string, IndexDocument>,
    entries: ReadonlyMap<string, Entry>,
  ): Promise<string[]> {
    const found: string[] = [];
    for (const { field } of this.parts.source.payloadIndexes.filter(({ type }) => type === 'keyword')) {
      const byValue = new Map<string, Set<string>>();
      for (const { id, payload } of documents.values()) {
        const value = payload[field];
        if (typeof value !== 'string' || entries.get(id)?.state === 'dead') continue;
        byValue.set(value, (byValue.get(value) ?? new Set()).add(id));
      }
      for (const [value, ids] of [...byValue].slice(0, FILTER_VALUES)) {
        const filter = { kind: 'any', field, values: [value] } as const;
        const { points } = await this.parts.store.scroll(generation.collection, { limit: ids.size + PAGE_SIZE, filter });
        const hits = new Set(points.map(({ id }) => id).filter((id) => entries.get(id)?.state !== 'dead'));
        for (const id of ids) if (!hits.has(id)) found.push(`I1 ${id} is not found by ${field} = ${value}`);
        for (const id of hits) if (!ids.has(id)) found.push(`I2 ${id} is found by ${field} = ${value}, which its row does not have`);
      }
    }
    return found;
  }

  private async documents(): Promise<Map<string, IndexDocument>> {
    const { source, session } = this.parts;
    const documents = new Map<string, IndexDocument>();
    for (let after: string | null = null; ;) {
      const ids: string[] = await source.listIds(after, PAGE_SIZE, session);
      for (const document of await source.load(ids, session)) documents.set(document.id, document);
      if (ids.length < PAGE_SIZE) return documents;
      after = ids.at(-1)!;
    }
  }

  private async points({ collection }: Generation): Promise<Map<string, StoredPoint>> {
    const points = new Map<string, StoredPoint>();
    const hasVectors = this.parts.embedders !== undefined;
    for (let after: string | undefined; ;) {
      const page = await this.parts.store.scroll(collection, { limit: PAGE_SIZE, after, hasVectors });
      for (const point of page.points) points.set(point.id, point);
      if (page.next === null) return points;
      after = page.next;
    }
  }

  private async entries({ id }: Generation): Promise<Map<string, Entry>> {
    const { rows } = await this.parts.session.query<Entry>(
      'SELECT source_id, state, indexed_version, attempts, last_error FROM index_ledger WHERE generation_id = $1',
      [id],
    );
    return new Map(rows.map((entry) => [entry.source_id, entry]));
  }
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, squaresA, squaresB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    squaresA += a[i]! ** 2;
    squaresB += b[i]! ** 2;
  }
  return dot / Math.sqrt(squaresA * squaresB);
}
