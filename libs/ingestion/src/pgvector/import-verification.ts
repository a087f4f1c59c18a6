import type { UnitOfWork } from '#database';
import { renderChunk, type ChunkRepository, type DocumentRepository } from '#documents';
import type { Embedder } from '#embeddings';
import { cosineOf, sha256OfParts } from '#kernel';
import { normalised, SAME_VECTOR_COSINE, type CachedVectors, type IndexGeneration } from '#sync';
import { importBatchOf } from './import-batch.js';
import type { ImportCollections } from './import-collections.js';
import type { PgvectorTable } from './pgvector-table.js';
import { parseVectorText } from './vector-text.js';

const KEYS_PER_PAGE = 5_000;
/** Rows that are drawn for each one that is compared: some have several chunks, or no vector. */
const DRAWN_PER_COMPARED = 10;
const MISSING_IN_REPORT = 20;
/** Rows with their vectors that are in memory at once: one of 3,072 dimensions is 40 kB of text. */
const ROWS_PER_SLICE = 100;
const EMBED_TIMEOUT_MS = 30_000;

export interface VerificationReport {
  readonly source_rows: number;
  /** Of these rows, those that have a document. */
  readonly documents: number;
  readonly refused: number;
  /** Rows without a document that no rule refuses; 0 = complete. Rows that the database alone has refused are among them. */
  readonly missing: number;
  /** Ids of missing rows, the first ones. */
  readonly without_document: readonly string[];
  readonly sample: {
    readonly seed: string;
    readonly compared: number;
    /** Cosine between the vector of the source and the one of the cache; `null` = nothing was compared. */
    readonly lowest_cosine: number | null;
    readonly below: readonly { readonly id: string; readonly cosine: number | null }[];
  } | null;
  /** One text embedded anew, and the cosine to its kept vector; for information only. */
  readonly embedded_anew: { readonly id: string; readonly cosine: number | null; readonly problem: string | null } | null;
  readonly is_passed: boolean;
}

export interface VerificationOptions {
  /** Of which the cache is compared; `null` = no vectors were kept. */
  readonly generation: IndexGeneration | null;
  readonly sampleSize: number;
  /** The same seed draws the same rows. */
  readonly seed: string;
  /** What the import has counted; for information only. */
  readonly refused: number;
}

interface Drawn {
  readonly order: string;
  readonly id: string;
  readonly documentId: string;
}

interface Compared {
  readonly id: string;
  readonly text: string;
  readonly kept: Float32Array | null;
  readonly cosine: number | null;
}

/** Looks whether what was imported is there: every row by its id, and a sample by its vector. Changes nothing on either side. */
export class ImportVerification {
  constructor(
    private readonly table: PgvectorTable,
    private readonly unitOfWork: UnitOfWork,
    private readonly documents: Pick<DocumentRepository, 'idsByExternalIds'>,
    private readonly chunks: Pick<ChunkRepository, 'ofDocuments'>,
    /** Of a dry run: it makes none. */
    private readonly collections: ImportCollections,
    private readonly vectors: CachedVectors,
    /** Of the generation; asked for only when there is something to embed. */
    private readonly embedderOf: (generation: IndexGeneration) => Embedder,
  ) {}

  async run(options: VerificationOptions): Promise<VerificationReport> {
    const { rows } = await this.table.count();
    const { found, missing, missingIds, drawn } = await this.walk(options);
    const compared = options.generation === null ? null : await this.compare(options.generation, drawn, options.sampleSize);
    const below = (compared ?? []).filter(({ cosine }) => cosine === null || cosine < SAME_VECTOR_COSINE);
    return {
      source_rows: rows,
      documents: found,
      refused: options.refused,
      missing,
      without_document: missingIds,
      sample:
        compared === null
          ? null
          : {
              seed: options.seed,
              compared: compared.length,
              lowest_cosine: compared.length === 0 ? null : Math.min(...compared.map(({ cosine }) => cosine ?? 0)),
              below: below.map(({ id, cosine }) => ({ id, cosine })),
            },
      embedded_anew: options.generation === null ? null : await this.embedAnew(options.generation, compared ?? []),
      is_passed: missing === 0 && below.length === 0,
    };
  }

  /** Looks every row up, and draws the sample: the rows whose hash with the seed is lowest, which needs neither order nor number. */
  private async walk({ seed, sampleSize, generation }: VerificationOptions) {
    let drawn: Drawn[] = [];
    let found = 0;
    let missing = 0;
    const missingIds: string[] = [];
    const drawnMaximum = sampleSize * DRAWN_PER_COMPARED;
    for (let after: string | null = null; ;) {
      const page = await this.table.keys(after, KEYS_PER_PAGE);
      if (page.length === 0) return { found, missing, missingIds, drawn };
      const ids = await this.documentIds(page);
      page.forEach(({ id }, place) => {
        const documentId = ids[place] ?? null;
        if (documentId === null) return;
        found++;
        drawn.push({ order: sha256OfParts(seed, id).toString('hex'), id, documentId });
      });
      const without = page.filter((_, place) => (ids[place] ?? null) === null).map(({ id }) => id);
      for await (const id of this.takeable([...new Set(without)], generation)) {
        missing++;
        if (missingIds.length < MISSING_IN_REPORT) missingIds.push(id);
      }
      drawn = drawn.sort((a, b) => (a.order < b.order ? -1 : 1)).slice(0, drawnMaximum);
      after = page.at(-1)!.id;
    }
  }

  /** Of these rows, those that the rules of the import let through: what a run has counted as refused says nothing about a row that is gone since. */
  private async *takeable(ids: readonly string[], generation: IndexGeneration | null): AsyncGenerator<string> {
    for (let start = 0; start < ids.length; start += ROWS_PER_SLICE) {
      const rows = await this.table.rows(ids.slice(start, start + ROWS_PER_SLICE), generation !== null);
      const { accepted } = await importBatchOf(rows, this.collections, generation?.dimensions ?? null);
      for (const { document } of accepted) yield document.external_id!;
    }
  }

  private async documentIds(page: Awaited<ReturnType<PgvectorTable['keys']>>): Promise<(string | null)[]> {
    const collectionIds = await Promise.all(
      page.map(async ({ values }) => (await this.collections.find(this.collections.nameOf(values.collection)))?.id ?? null),
    );
    const keys = page.flatMap(({ id }, place) => {
      const collection_id = collectionIds[place] ?? null;
      return collection_id === null ? [] : [{ collection_id, external_id: id, place }];
    });
    const found = await this.documents.idsByExternalIds(keys);
    const ids: (string | null)[] = page.map(() => null);
    keys.forEach(({ place }, index) => (ids[place] = found[index]!));
    return ids;
  }

  /** The first rows of the draw that have one chunk and a vector in the source. */
  private async compare(generation: IndexGeneration, drawn: readonly Drawn[], size: number): Promise<Compared[]> {
    const compared: Compared[] = [];
    for (let start = 0; start < drawn.length && compared.length < size; start += ROWS_PER_SLICE) {
      const slice = await this.compareSlice(generation, drawn.slice(start, start + ROWS_PER_SLICE));
      compared.push(...slice.slice(0, size - compared.length));
    }
    return compared;
  }

  private async compareSlice(generation: IndexGeneration, drawn: readonly Drawn[]): Promise<Compared[]> {
    const vectors = await this.table.vectors(drawn.map(({ id }) => id));
    const chunks = await this.chunks.ofDocuments(drawn.map(({ documentId }) => documentId));
    const comparable = drawn.flatMap(({ id, documentId }) => {
      const [text, own] = [vectors.get(id), chunks.get(documentId) ?? []];
      const parsed = text === undefined || own.length !== 1 ? 'none' : parseVectorText(text, generation.dimensions);
      return typeof parsed === 'string' ? [] : [{ id, text: renderChunk(own[0]!), vector: normalised(parsed, generation.dimensions)! }];
    });
    const cached = await this.vectors.peek(
      this.unitOfWork,
      generation,
      comparable.map(({ text }) => text),
    );
    return comparable.map(({ id, text, vector }, place) => {
      const kept = cached[place] ?? null;
      return { id, text, kept, cosine: kept === null ? null : cosineOf(kept, vector) };
    });
  }

  private async embedAnew(generation: IndexGeneration, compared: readonly Compared[]): Promise<VerificationReport['embedded_anew']> {
    const row = compared.find(({ kept }) => kept !== null);
    if (row === undefined) return null;
    try {
      const embedder = this.embedderOf(generation);
      const [embedding] = await embedder.embedDocuments([row.text], { signal: AbortSignal.timeout(EMBED_TIMEOUT_MS) });
      return { id: row.id, cosine: cosineOf(row.kept!, embedding!.vector), problem: null };
    } catch (error) {
      return { id: row.id, cosine: null, problem: error instanceof Error ? error.message : String(error) };
    }
  }
}
