import { UnitOfWork, type SqlSession } from '#database';
import { canonicalJson, DomainError, type JsonValue } from '#kernel';
import { Injectable, Logger } from '@nestjs/common';
import { v7 as uuidV7 } from 'uuid';
import type { ChunkRow } from './chunk.js';
import type { Collection } from './collection.js';
import { DocumentChunker } from './document-chunker.js';
import { documentValue, DocumentRepository, withDocumentErrors, type KnownDocument } from './document.repository.js';
import type { DocumentFields, NewDocument } from './document.js';
import { holdCollections } from './hold-collections.js';
import { rewriteChunks } from './rewrite-chunks.js';

/** What a batch did to a document. */
export type DocumentOutcome = 'inserted' | 'updated' | 'unchanged';

export interface WrittenDocument {
  readonly id: string;
  readonly outcome: DocumentOutcome;
}

/** A document that has been compared with what is stored, and cut into chunks. */
export interface PreparedDocument {
  readonly id: string;
  readonly document: NewDocument;
  /** `null` = nothing changes, or the deriver makes them. */
  readonly chunks: readonly ChunkRow[] | null;
  /** What the write will come to, unless somebody else writes it first. */
  readonly expected: DocumentOutcome;
}

/** Documents ready to be written; made outside of the transaction, because chunking asks the model's tokenizer. */
export interface PreparedDocuments {
  readonly documents: readonly PreparedDocument[];
  /** Versions of the collections whose settings the chunks were made with, by id. */
  readonly collectionVersions: ReadonlyMap<string, number>;
}

const FIELDS = [
  'title',
  'content',
  'kind',
  'external_id',
  'source_uri',
  'language',
  'metadata',
] as const satisfies readonly (keyof DocumentFields)[];

const INSERT = `
INSERT INTO documents AS d (id, collection_id, title, content, kind, external_id, source_uri, language, metadata, chunked_version)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::jsonb[], $10::int[])`;
const RETURNING = 'RETURNING d.id, xmax = 0 AS is_inserted';
const UPSERT = `${INSERT}
ON CONFLICT (collection_id, external_id) DO UPDATE SET title = EXCLUDED.title, content = EXCLUDED.content, kind = EXCLUDED.kind,
  source_uri = EXCLUDED.source_uri, language = EXCLUDED.language, metadata = EXCLUDED.metadata
WHERE (d.title, d.content, d.kind, d.source_uri, d.language, d.metadata)
  IS DISTINCT FROM (EXCLUDED.title, EXCLUDED.content, EXCLUDED.kind, EXCLUDED.source_uri, EXCLUDED.language, EXCLUDED.metadata)
${RETURNING}`;

const MARK_CHUNKED = 'UPDATE documents SET chunked_version = version, chunking_until = NULL WHERE id = ANY($1::uuid[])';

/** Version of a row that was just inserted. */
const FIRST_VERSION = 1;

/** Writes batches of documents together with their chunks, so that bulk work needs no second pass. */
@Injectable()
export class DocumentWriter {
  private readonly logger = new Logger(DocumentWriter.name);

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly repository: DocumentRepository,
    private readonly chunker: DocumentChunker,
  ) {}

  /**
   * Compares documents with those of the same external id, and cuts what is new or changed into chunks. No external id may occur twice in a collection.
   *
   * A model that is away does not fail it: the chunks are then made later.
   *
   * @param collections of all of them, by id
   */
  async prepare(documents: readonly NewDocument[], collections: ReadonlyMap<string, Collection>): Promise<PreparedDocuments> {
    return this.prepareAgainst(await this.findKnown(documents), documents, collections);
  }

  private async prepareAgainst(
    known: ReadonlyMap<string, KnownDocument>,
    documents: readonly NewDocument[],
    collections: ReadonlyMap<string, Collection>,
  ): Promise<PreparedDocuments> {
    const compared = documents.map((document) => {
      const stored = document.external_id === null ? undefined : known.get(keyOf(document.collection_id, document.external_id));
      const expected: DocumentOutcome = stored === undefined ? 'inserted' : isSame(document, stored) ? 'unchanged' : 'updated';
      return { document, id: stored?.id ?? document.id ?? uuidV7(), expected };
    });
    const chunks = await this.chunk(
      compared.filter(({ expected }) => expected !== 'unchanged'),
      collections,
    );
    return {
      documents: compared.map((one) => ({ ...one, chunks: chunks?.get(one.id) ?? null })),
      collectionVersions: new Map([...collections.values()].map(({ id, version }) => [id, version])),
    };
  }

  /**
   * Writes what was prepared, in the caller's transaction: documents by external id, and their chunks.
   *
   * @returns what became of each document, in their order
   * @throws DomainError `collections.unknown` when a collection was deleted meanwhile
   */
  async upsert(session: SqlSession, prepared: PreparedDocuments): Promise<WrittenDocument[]> {
    return this.write(session, prepared, UPSERT);
  }

  /** {@link prepare} and {@link upsert} in a transaction of its own. */
  async upsertAll(documents: readonly NewDocument[], collections: ReadonlyMap<string, Collection>): Promise<WrittenDocument[]> {
    const prepared = await this.prepare(documents, collections);
    return this.unitOfWork.run((session) => this.upsert(session, prepared));
  }

  /** Writes one document that is new. @throws DomainError `documents.external-id-taken`, `collections.unknown` */
  async insert(document: NewDocument, collection: Collection): Promise<WrittenDocument> {
    const prepared = await this.prepareAgainst(new Map(), [document], new Map([[collection.id, collection]]));
    const [written] = await this.unitOfWork.run((session) => this.write(session, prepared, `${INSERT} ${RETURNING}`));
    return written!;
  }

  private async write(session: SqlSession, { documents, collectionVersions }: PreparedDocuments, sql: string): Promise<WrittenDocument[]> {
    const changing = documents.filter(({ expected }) => expected !== 'unchanged');
    const outcomes = new Map<string, DocumentOutcome>();
    if (changing.length > 0) {
      const current = await holdCollections(session, collectionVersions);
      const withChunks = changing.filter(({ document, chunks }) => chunks !== null && current.has(document.collection_id));
      const chunked = new Set(withChunks.map(({ id }) => id));
      const { rows } = await withDocumentErrors(() =>
        session.query<{ id: string; is_inserted: boolean }>(sql, columnsOf(changing, chunked)),
      );
      for (const { id, is_inserted } of rows) outcomes.set(id, is_inserted ? 'inserted' : 'updated');
      const written = withChunks.filter(({ id }) => outcomes.has(id));
      await rewriteChunks(
        session,
        written.map(({ id }) => id),
        written.flatMap(({ chunks }) => chunks!),
      );
      const updated = written.filter(({ id }) => outcomes.get(id) === 'updated').map(({ id }) => id);
      if (updated.length > 0) await session.query(MARK_CHUNKED, [updated]);
    }
    // What another writer stored in the same moment, with the same content, is unchanged as well.
    return documents.map(({ id }) => ({ id, outcome: outcomes.get(id) ?? 'unchanged' }));
  }

  private async findKnown(documents: readonly NewDocument[]): Promise<Map<string, KnownDocument>> {
    const keys = documents.flatMap(({ collection_id, external_id }) => (external_id === null ? [] : [{ collection_id, external_id }]));
    const known = await this.repository.findByExternalIds(keys);
    return new Map(known.map((document) => [keyOf(document.collection_id, document.external_id!), document]));
  }

  private async chunk(
    changing: readonly { readonly id: string; readonly document: NewDocument }[],
    collections: ReadonlyMap<string, Collection>,
  ): Promise<Map<string, ChunkRow[]> | null> {
    try {
      const chunks = await this.chunker.chunk(
        changing.map(({ id, document }) => ({ document: { ...document, id }, settings: collections.get(document.collection_id)! })),
      );
      return new Map(changing.map(({ id }, index) => [id, chunks[index]!]));
    } catch (error) {
      if (!(error instanceof DomainError) || !error.definition.retryable) throw error;
      this.logger.warn(`Documents are stored without chunks, which are made later: ${error.message}`);
      return null;
    }
  }
}

function keyOf(collectionId: string, externalId: string): string {
  return `${collectionId} ${externalId}`;
}

function isSame(document: NewDocument, stored: KnownDocument): boolean {
  return FIELDS.every((name) =>
    name === 'metadata'
      ? canonicalJson(document.metadata as JsonValue) === canonicalJson(stored.metadata as JsonValue)
      : document[name] === stored[name],
  );
}

/** In one order for all writers: two transactions that write the same rows the other way round would wait for each other. */
function columnsOf(documents: readonly PreparedDocument[], chunked: ReadonlySet<string>): unknown[] {
  const sorted = [...documents].sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  return [
    sorted.map(({ id }) => id),
    sorted.map(({ document }) => document.collection_id),
    ...FIELDS.map((name) => sorted.map(({ document }) => documentValue(document, name))),
    sorted.map(({ id }) => (chunked.has(id) ? FIRST_VERSION : null)),
  ];
}

function orderOf({ id, document }: PreparedDocument): string {
  return keyOf(document.collection_id, document.external_id ?? id);
}
