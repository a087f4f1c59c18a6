import type { KindredConfig } from '#config';
import { DatabaseConnection, ReadOnlySource } from '#database';
import { ChunkRepository, CollectionRepository, DOCUMENT_SOURCE, DocumentChunker, DocumentRepository, DocumentWriter } from '#documents';
import { ConfiguredEmbedderRegistry, type EmbedderRegistry } from '#embeddings';
import {
  chooseKeptGenerations,
  ImportCheckpoints,
  ImportCollections,
  ImportVerification,
  PgvectorImport,
  PgvectorImportError,
  PgvectorTable,
  VectorKeeper,
  type ColumnMapping,
  type DeclaredModel,
  type PgvectorImportOptions,
  type PgvectorImportResult,
  type VerificationReport,
} from '#ingestion';
import { DomainError, SystemClock } from '#kernel';
import { CachedVectors, DatabaseIndexDirectory, GenerationCatalog, type IndexGeneration } from '#sync';

/** What is imported from where, and whose the vectors are. */
export interface PgvectorSource {
  readonly from: string;
  readonly table: string;
  readonly mapping: ColumnMapping;
  readonly collection: string;
  /** `null` = no vectors are kept. */
  readonly model: DeclaredModel | null;
}

/** The relay runs in the service, and looks for work by itself. */
const NO_RELAY = { wake: () => undefined, onRecorded: () => undefined };

/** The objects that an import needs, on Kindred's database and on the foreign one: a command beside the service has no application of its own. */
export class PgvectorImportSession {
  private readonly documents: DocumentRepository;
  private readonly chunks: ChunkRepository;
  private readonly collections: CollectionRepository;
  private readonly vectors = new CachedVectors();
  private readonly catalog: GenerationCatalog;

  private constructor(
    private readonly target: DatabaseConnection,
    private readonly embedders: EmbedderRegistry,
    private readonly source: PgvectorSource,
    private readonly table: PgvectorTable,
  ) {
    const { unitOfWork } = target;
    this.documents = new DocumentRepository(unitOfWork);
    this.chunks = new ChunkRepository(unitOfWork);
    this.collections = new CollectionRepository(unitOfWork);
    this.catalog = new GenerationCatalog(unitOfWork, new SystemClock());
  }

  /** Opens both databases for as long as `work` runs. @param databaseUrl of Kindred */
  static async use<T>(
    config: KindredConfig,
    databaseUrl: string,
    source: PgvectorSource,
    work: (session: PgvectorImportSession) => Promise<T>,
  ): Promise<T> {
    const embedders = new ConfiguredEmbedderRegistry(config.embedding);
    const open: { close(): Promise<void> }[] = [embedders];
    try {
      const target = await opened('The database of Kindred', () => DatabaseConnection.open(databaseUrl));
      open.push(target);
      await assertMigrated(target);
      const foreign = await opened('The source', () => ReadOnlySource.open(source.from));
      open.push(foreign);
      const table = await PgvectorTable.open(foreign, source.table, source.mapping);
      return await work(new PgvectorImportSession(target, embedders, source, table));
    } finally {
      await Promise.allSettled(open.map((one) => one.close()));
    }
  }

  /** The generations that the vectors are kept for. @throws PgvectorImportError when none has the declared model */
  async generations(): Promise<IndexGeneration[]> {
    return this.source.model === null ? [] : chooseKeptGenerations(await this.catalog.list(), DOCUMENT_SOURCE, this.source.model);
  }

  async import(
    generations: readonly IndexGeneration[],
    options: Omit<PgvectorImportOptions, 'mapping' | 'dimensions'>,
  ): Promise<PgvectorImportResult> {
    const { unitOfWork } = this.target;
    const { mapping, collection, model } = this.source;
    const directory = new DatabaseIndexDirectory(unitOfWork, this.catalog, this.embedders, NO_RELAY, new SystemClock());
    const ports = {
      table: this.table,
      unitOfWork,
      writer: new DocumentWriter(unitOfWork, this.documents, new DocumentChunker(directory)),
      collections: this.collectionsOf(options.isDryRun),
      checkpoints: new ImportCheckpoints(this.table.description, collection, mapping),
      keeper: new VectorKeeper(generations, this.vectors, this.chunks),
    };
    try {
      return await new PgvectorImport(ports, { ...options, mapping, dimensions: model?.dimensions ?? null }).run();
    } finally {
      directory.beforeApplicationShutdown();
    }
  }

  async verify(
    generation: IndexGeneration | null,
    options: { readonly sampleSize: number; readonly seed: string; readonly refused: number },
  ): Promise<VerificationReport> {
    const embedderOf = (of: IndexGeneration) => this.embedders.get(of.embedder);
    return new ImportVerification(
      this.table,
      this.target.unitOfWork,
      this.documents,
      this.chunks,
      this.collectionsOf(true),
      this.vectors,
      embedderOf,
    ).run({ generation, ...options });
  }

  private collectionsOf(isDryRun: boolean): ImportCollections {
    return new ImportCollections(this.collections, this.source.collection, this.source.model !== null, isDryRun);
  }
}

/** The words of the driver name hosts, users and databases, never passwords. */
async function opened<T>(what: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    const reason = error instanceof DomainError && error.cause instanceof Error ? error.cause : error;
    throw new PgvectorImportError(`${what} cannot be opened: ${reasonText(reason)}`, { cause: error });
  }
}

function reasonText(reason: unknown): string {
  if (reason instanceof AggregateError && reason.message === '') return reason.errors.map(reasonText).join('; ');
  return reason instanceof Error ? reason.message : String(reason);
}

async function assertMigrated({ unitOfWork }: DatabaseConnection): Promise<void> {
  const { rows } = await unitOfWork.query<{ is_migrated: boolean }>(
    `SELECT to_regclass('public.pgvector_imports') IS NOT NULL AS is_migrated`,
  );
  if (!rows[0]!.is_migrated)
    throw new PgvectorImportError('The database of Kindred is not up to date. Start the service of this version once.');
}
