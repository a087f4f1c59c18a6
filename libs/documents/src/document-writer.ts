import { UnitOfWork, type SqlSession, type WithinWrite } from '#database';
import { Injectable } from '@nestjs/common';
import { v7 as uuidV7 } from 'uuid';
import type { ChunkRow } from './chunk.js';
import type { Collection } from './collection.js';
import { DocumentChunker } from './document-chunker.js';
import { DOCUMENT_FIELDS, isSameDocument } from './document-comparison.js';
import { documentKeyOf } from './document-key.js';
import {
  documentValue,
  DocumentRepository,
  withDocumentErrors,
  type DocumentKey,
  type KnownDocument,
  type LockedDocument,
} from './document.repository.js';
import type { NewDocument } from './document.js';
import { holdCollections } from './hold-collections.js';
import { markChunked, rewriteChunks } from './rewrite-chunks.js';

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
  /** Of the model by whose tokens the chunks were cut; `null` = there are none. */
  readonly modelRev: string | null;
}

/** What an insert gave back. */
interface WrittenRow extends LockedDocument {
  readonly is_inserted: boolean;
}

const INSERT = `
INSERT INTO documents AS d (id, collection_id, title, content, kind, external_id, source_uri, language, metadata, chunked_version)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::jsonb[], $10::int[])`;
const RETURNING = 'RETURNING d.id, d.collection_id, d.external_id, xmax = 0 AS is_inserted';
const INSERT_NEW = `${INSERT} ${RETURNING}`;
const UPSERT = `${INSERT}
ON CONFLICT (collection_id, external_id) DO UPDATE SET title = EXCLUDED.title, content = EXCLUDED.content, kind = EXCLUDED.kind,
  source_uri = EXCLUDED.source_uri, language = EXCLUDED.language, metadata = EXCLUDED.metadata
WHERE (d.title, d.content, d.kind, d.source_uri, d.language, d.metadata)
  IS DISTINCT FROM (EXCLUDED.title, EXCLUDED.content, EXCLUDED.kind, EXCLUDED.source_uri, EXCLUDED.language, EXCLUDED.metadata)
${RETURNING}`;

/** Version of a row that was just inserted. */
const FIRST_VERSION = 1;

/** Writes batches of documents together with their chunks, so that bulk work needs no second pass. */
@Injectable()
export class DocumentWriter {
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
      const stored = document.external_id === null ? undefined : known.get(documentKeyOf(document.collection_id, document.external_id));
      const expected: DocumentOutcome = stored === undefined ? 'inserted' : isSameDocument(document, stored) ? 'unchanged' : 'updated';
      return { document, id: stored?.id ?? document.id ?? uuidV7(), expected };
    });
    const changing = compared.filter(({ expected }) => expected !== 'unchanged');
    const cut = await this.chunker.tryChunk(
      changing.map(({ id, document }) => ({ document: { ...document, id }, settings: collections.get(document.collection_id)! })),
    );
    const chunks = new Map(changing.map(({ id }, index) => [id, cut?.chunks[index] ?? null]));
    return {
      documents: compared.map((one) => ({ ...one, chunks: chunks.get(one.id) ?? null })),
      collectionVersions: new Map([...collections.values()].map(({ id, version }) => [id, version])),
      modelRev: cut?.modelRev ?? null,
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
  async upsertAll(
    documents: readonly NewDocument[],
    collections: ReadonlyMap<string, Collection>,
    within?: WithinWrite<WrittenDocument[]>,
  ): Promise<WrittenDocument[]> {
    const prepared = await this.prepare(documents, collections);
    return this.unitOfWork.run(async (session) => {
      const written = await this.upsert(session, prepared);
      await within?.(session, written);
      return written;
    });
  }

  /** Writes one document that is new. @throws DomainError `documents.external-id-taken`, `collections.unknown` */
  async insert(document: NewDocument, collection: Collection, within?: WithinWrite<WrittenDocument>): Promise<WrittenDocument> {
    const prepared = await this.prepareAgainst(new Map(), [document], new Map([[collection.id, collection]]));
    return this.unitOfWork.run(async (session) => {
      const [written] = await this.write(session, prepared, INSERT_NEW);
      await within?.(session, written!);
      return written!;
    });
  }

  private async write(session: SqlSession, prepared: PreparedDocuments, sql: string): Promise<WrittenDocument[]> {
    const changing = prepared.documents.filter(({ expected }) => expected !== 'unchanged');
    const outcomes = changing.length === 0 ? [] : await this.writeChanging(session, { ...prepared, documents: changing }, sql);
    let next = 0;
    return prepared.documents.map(({ id, expected }) => (expected === 'unchanged' ? { id, outcome: expected } : outcomes[next++]!));
  }

  private async writeChanging(
    session: SqlSession,
    { documents, collectionVersions, modelRev }: PreparedDocuments,
    sql: string,
  ): Promise<WrittenDocument[]> {
    const current = await holdCollections(session, collectionVersions, modelRev);
    const cut = documents.map((one) => (current.has(one.document.collection_id) ? one : { ...one, chunks: null }));
    const placed = sql === INSERT_NEW ? cut : await this.place(session, cut);
    const { rows } = await withDocumentErrors(() => session.query<WrittenRow>(sql, columnsOf(placed)));
    const written = new Map(rows.map((row) => [keyOf(row), row]));
    await this.writeChunks(session, placed, written);
    return this.outcomesOf(session, placed, written);
  }

  /** Locks what is there, in the order of all writers. A document that has got another name since it was compared keeps its id, and what was meant for it is a new one. */
  private async place(session: SqlSession, documents: readonly PreparedDocument[]): Promise<PreparedDocument[]> {
    const ids = documents.map(({ id }) => id);
    const locked = await this.repository.lockIn(session, ids, keysOf(documents));
    const keys = new Map(locked.map((row) => [row.id, keyOf(row)]));
    return documents.map((one) => ((keys.get(one.id) ?? keyOf(one)) === keyOf(one) ? one : { ...one, id: uuidV7(), chunks: null }));
  }

  /** Chunks are made from the id as well: those of a document that somebody else has stored in the same moment are left to the deriver. */
  private async writeChunks(
    session: SqlSession,
    documents: readonly PreparedDocument[],
    written: ReadonlyMap<string, WrittenRow>,
  ): Promise<void> {
    const cut = documents.filter((one) => one.chunks !== null && written.get(keyOf(one))?.id === one.id);
    if (cut.length === 0) return;
    await rewriteChunks(
      session,
      cut.map(({ id }) => id),
      cut.flatMap(({ chunks }) => chunks!),
    );
    const updated = cut.filter((one) => !written.get(keyOf(one))!.is_inserted);
    await markChunked(
      session,
      updated.map(({ id }) => id),
    );
  }

  /** What another writer stored in the same moment, with the same content, is unchanged as well. */
  private async outcomesOf(
    session: SqlSession,
    documents: readonly PreparedDocument[],
    written: ReadonlyMap<string, WrittenRow>,
  ): Promise<WrittenDocument[]> {
    const equal = documents.filter((one) => !written.has(keyOf(one)));
    const ids = equal.length === 0 ? [] : await this.repository.idsByExternalIds(keysOf(equal), session);
    const idOf = new Map(equal.map((one, index) => [keyOf(one), ids[index]!]));
    return documents.map((one) => {
      const row = written.get(keyOf(one));
      if (row === undefined) return { id: idOf.get(keyOf(one))!, outcome: 'unchanged' };
      return { id: row.id, outcome: row.is_inserted ? 'inserted' : 'updated' };
    });
  }

  private async findKnown(documents: readonly NewDocument[]): Promise<Map<string, KnownDocument>> {
    const known = await this.repository.findByExternalIds(keysOf(documents.map((document) => ({ document }))));
    return new Map(known.map((document) => [keyOf(document), document]));
  }
}

/** What names a document in a batch: its external id, else its own. */
function keyOf(document: PreparedDocument | LockedDocument | KnownDocument): string {
  const { id, collection_id, external_id } = 'document' in document ? { ...document.document, id: document.id } : document;
  return external_id === null ? id : documentKeyOf(collection_id, external_id);
}

function keysOf(documents: readonly { readonly document: NewDocument }[]): DocumentKey[] {
  return documents.flatMap(({ document: { collection_id, external_id } }) =>
    external_id === null ? [] : [{ collection_id, external_id }],
  );
}

/** In one order for all writers: two transactions that write the same rows the other way round would wait for each other. */
function columnsOf(documents: readonly PreparedDocument[]): unknown[] {
  const sorted = [...documents].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return [
    sorted.map(({ id }) => id),
    sorted.map(({ document }) => document.collection_id),
    ...DOCUMENT_FIELDS.map((name) => sorted.map(({ document }) => documentValue(document, name))),
    sorted.map(({ chunks }) => (chunks === null ? null : FIRST_VERSION)),
  ];
}
