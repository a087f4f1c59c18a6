import {
  ChunkDeriver,
  CollectionRepository,
  DocumentChunker,
  DocumentRepository,
  DocumentWriter,
  type Collection,
  type CollectionFields,
  type NewDocument,
} from '#documents';
import { SystemClock } from '#kernel';
import { FakeEmbedder, FakeIndexDirectory, FakeVectorStore, type TestDatabase } from '#testing';

const COLLECTION: CollectionFields = {
  name: 'faq',
  description: null,
  language: null,
  chunk_tokens: 64,
  chunk_overlap_tokens: 8,
  metadata_keys: { topic: 'keyword', year: 'number' },
};

/** Documents on a real database, with a double of the model, in one collection. */
export class DocumentStage {
  readonly directory: FakeIndexDirectory;
  readonly chunker: DocumentChunker;
  readonly collections: CollectionRepository;
  readonly documents: DocumentRepository;
  readonly writer: DocumentWriter;
  readonly deriver: ChunkDeriver;

  private constructor(
    readonly database: TestDatabase,
    readonly embedder: FakeEmbedder,
    readonly collection: Collection,
  ) {
    this.directory = new FakeIndexDirectory({ store: new FakeVectorStore(), embedder, source: 'documents' });
    this.chunker = new DocumentChunker(this.directory);
    this.collections = new CollectionRepository(database.unitOfWork);
    this.documents = new DocumentRepository(database.unitOfWork);
    this.writer = new DocumentWriter(database.unitOfWork, this.documents, this.chunker);
    this.deriver = new ChunkDeriver(database.unitOfWork, this.chunker, this.directory, new SystemClock());
  }

  /** Empties the database first. */
  static async open(database: TestDatabase): Promise<DocumentStage> {
    await database.query('TRUNCATE collections CASCADE');
    return new DocumentStage(database, new FakeEmbedder(), await new CollectionRepository(database.unitOfWork).insert(COLLECTION));
  }

  /** A deriver of a process for which another model serves. */
  deriverWith(embedder: FakeEmbedder): ChunkDeriver {
    const directory = new FakeIndexDirectory({ store: new FakeVectorStore(), embedder, source: 'documents' });
    return new ChunkDeriver(this.database.unitOfWork, new DocumentChunker(directory), directory, new SystemClock());
  }

  newDocument(fields: Partial<NewDocument> = {}): NewDocument {
    const nothing = { kind: null, external_id: null, source_uri: null, language: null, metadata: {} };
    return { ...nothing, collection_id: this.collection.id, title: 'Stairs', content: 'Oak is hard.', ...fields };
  }

  async prepare(...documents: NewDocument[]) {
    return this.writer.prepare(documents, new Map([[this.collection.id, this.collection]]));
  }

  async upsert(...documents: NewDocument[]) {
    return this.writer.upsertAll(documents, new Map([[this.collection.id, this.collection]]));
  }

  async insertRaw(title: string, content: string, language: string | null = null): Promise<string> {
    const { rows } = await this.database.query<{ id: string }>(
      'INSERT INTO documents (collection_id, title, content, language) VALUES ($1, $2, $3, $4) RETURNING id',
      [this.collection.id, title, content, language],
    );
    return rows[0]!.id;
  }

  async textsOf(id: string): Promise<string[]> {
    const { rows } = await this.database.query<{ text: string }>('SELECT text FROM chunks WHERE document_id = $1 ORDER BY ordinal', [id]);
    return rows.map(({ text }) => text);
  }

  /** Does something the next time that tokens are counted, before they are. */
  onCount(act: () => Promise<unknown>): void {
    const counting = this.embedder.countTokens.bind(this.embedder);
    this.embedder.countTokens = async (texts) => {
      this.embedder.countTokens = counting;
      await act();
      return counting(texts);
    };
  }
}
