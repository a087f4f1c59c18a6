import type { IndexDocument } from '#sync';
import {
  IndexDirectory,
  judgeToken,
  type ConsistencyToken,
  type IndexEntryCounts,
  type IndexEntryStatus,
  type IndexSource,
  type ServingIndex,
  type TokenSearch,
} from '#sync';
import type { Embedder } from '#embeddings';
import type { SqlSession } from '#database';
import type { VectorStore } from '#vector-store';
import { sha256OfParts } from '#kernel';

const ROWS_MAXIMUM = 100_000;
const GENERATION_ID = 1;

export interface FakeIndexOptions {
  readonly store: VectorStore;
  readonly embedder: Embedder;
  /** Default `projects`. */
  readonly source?: string;
}

/** Double of the engine as features see it: nothing is indexed until a test says so, and the ledger is what a test says it is. */
export class FakeIndexDirectory extends IndexDirectory {
  readonly collection: string;
  /** Rows that `pendingCount` reports. */
  pending = 0;
  /** Rows that an exact count finds; `null` = the same. */
  exactPending: number | null = null;
  /** How often a writer hurried the relay. */
  wakes = 0;
  /** Rejects whatever can be rejected while it is set; there are no tokens then. */
  fault: Error | null = null;
  /** How long each caller was ready to wait for a token, in order. Nobody ever waits. */
  readonly tokenWaits: number[] = [];
  private readonly entries = new Map<string, IndexEntryStatus>();
  private rev = 0;

  constructor(private readonly options: FakeIndexOptions) {
    super();
    this.collection = `fake_${options.source ?? 'projects'}_g1`;
  }

  async serving(source: string): Promise<ServingIndex> {
    this.assertHealthy();
    return { generationId: GENERATION_ID, source, collection: this.collection, embedder: this.options.embedder, modelLabel: 'fake:q8' };
  }

  async pendingCount(): Promise<number> {
    this.assertHealthy();
    return this.pending;
  }

  async entryStatus(_source: string, sourceId: string): Promise<IndexEntryStatus | null> {
    this.assertHealthy();
    return this.entries.get(sourceId) ?? null;
  }

  async entryCounts(_source: string, sourceIds: readonly string[]): Promise<IndexEntryCounts> {
    this.assertHealthy();
    const states = sourceIds.map((id) => this.entries.get(id)?.state);
    const synced = states.filter((state) => state === 'synced').length;
    const dead = states.filter((state) => state === 'dead').length;
    return { synced, dead, pending: sourceIds.length - synced - dead };
  }

  /** A row that no test has spoken of has version 1. */
  async tokenFor(source: string, sourceId: string): Promise<ConsistencyToken | null> {
    if (this.fault !== null) return null;
    const entry = this.entries.get(sourceId);
    return { source, id: sourceId, generationId: entry?.generationId ?? GENERATION_ID, version: entry?.version ?? 1 };
  }

  /** A row that no test has spoken of is on its way. */
  async waitForToken(token: ConsistencyToken, waitMs: number): Promise<TokenSearch> {
    const serving = await this.serving(token.source);
    this.tokenWaits.push(waitMs);
    const entry = this.entries.get(token.id);
    return { serving, state: entry === undefined ? 'behind' : judgeToken(token, GENERATION_ID, { ...entry, isInDoubt: false }) };
  }

  async backlog(): Promise<number> {
    this.assertHealthy();
    return this.exactPending ?? this.pending;
  }

  wake(): void {
    this.wakes++;
  }

  /** Sets what the ledger says of a row; the rest of the entry is that of a row that was just written. */
  setEntry(sourceId: string, entry: Partial<IndexEntryStatus>): void {
    this.entries.set(sourceId, {
      generationId: GENERATION_ID,
      state: 'pending',
      version: 1,
      indexedVersion: null,
      attempts: 0,
      isTruncated: null,
      lastError: null,
      ...entry,
    });
  }

  /** Makes the collection equal to the rows of the source as they are now: what the relay does, without ledger. */
  async indexAll(source: IndexSource, session: SqlSession): Promise<void> {
    const { store, embedder } = this.options;
    await store.drop(this.collection);
    await store.ensureIndex({
      name: this.collection,
      dimensions: embedder.dimensions,
      payloadIndexes: source.payloadIndexes,
      metadata: {},
    });
    const documents = await source.load(await source.listIds(null, ROWS_MAXIMUM, session), session);
    const embeddings = await embedder.embedDocuments(documents.map(({ text }) => text));
    await store.upsert(
      this.collection,
      documents.map((document, index) => ({ id: document.id, vector: embeddings[index]!.vector, payload: this.payloadOf(document) })),
    );
  }

  private payloadOf({ id, text, payload }: IndexDocument) {
    const hash = sha256OfParts(text).toString('hex');
    return {
      ...payload,
      rev: ++this.rev,
      text_hash: hash,
      payload_hash: hash,
      model_rev: this.options.embedder.modelRev,
      bucket: id.slice(-2),
    };
  }

  private assertHealthy(): void {
    if (this.fault !== null) throw this.fault;
  }
}
