import type { WithinWrite } from '#database';
import { DomainError, type FieldProblem } from '#kernel';
import { foreignCursor } from '#rules';
import { IndexDirectory } from '#sync';
import { Injectable } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { ChunkDeriver } from './chunk-deriver.js';
import { ChunkRepository } from './chunk.repository.js';
import type { Collection } from './collection.js';
import { unknownCollection } from './collection-errors.js';
import { CollectionRepository } from './collection.repository.js';
import { DOCUMENT_SOURCE, type Document, type DocumentFields, type DocumentPatch } from './document.js';
import { documentKeyOf } from './document-key.js';
import { decodeCursor, encodeCursor } from './document-list.cursor.js';
import type { DocumentFilter, DocumentListQuery, DocumentSortColumn } from './document-list.js';
import { DocumentRepository, type DocumentPreconditions } from './document.repository.js';
import { DocumentUpdater } from './document-updater.js';
import { DocumentWriter, type DocumentOutcome, type WrittenDocument } from './document-writer.js';
import { findMetadataProblems } from './metadata-problems.js';

/** How a document stands in the index: `pending` while a chunk of it does, `dead` when one of them is. */
export type DocumentIndexState = 'pending' | 'synced' | 'dead';

/** A document that names its collection by name or id. */
export interface DocumentInput extends DocumentFields {
  readonly collection: string;
}

export interface WriteOptions {
  /** Waits at most this long for the index; 0 = not at all. */
  readonly waitForIndexMs: number;
}

export interface CreateOptions extends WriteOptions {
  /** Is committed together with the document. */
  readonly within?: WithinWrite<Document>;
}

export interface ConditionalWriteOptions extends WriteOptions {
  readonly expected: DocumentPreconditions;
}

export interface WrittenDocumentReply {
  readonly document: Document;
  readonly indexState: DocumentIndexState;
}

/** What became of one document of a batch. */
export type BatchItem =
  | { readonly outcome: DocumentOutcome; readonly id: string }
  | { readonly outcome: 'failed'; readonly code: string; readonly problems: readonly FieldProblem[] };

export interface DocumentIndexStatus {
  readonly document: Document;
  readonly state: DocumentIndexState;
  /** `null` = the chunks of the present version are not made yet. */
  readonly chunks: { readonly total: number; readonly synced: number; readonly pending: number; readonly dead: number } | null;
  /** Why the chunks could not be made; it is tried again later. */
  readonly chunkingError: string | null;
}

export interface DocumentPage {
  readonly items: Document[];
  /** `null` on the last page. */
  readonly nextCursor: string | null;
}

/** As often as the state is looked at while somebody waits for it. */
const WAIT_POLL_MS = 25;

/** What can be done with documents. A write is one committed transaction; it never waits for index or model unless the caller asks for it, and never fails because of them. */
@Injectable()
export class DocumentsService {
  constructor(
    private readonly repository: DocumentRepository,
    private readonly collections: CollectionRepository,
    private readonly chunks: ChunkRepository,
    private readonly writer: DocumentWriter,
    private readonly updater: DocumentUpdater,
    private readonly deriver: ChunkDeriver,
    private readonly directory: IndexDirectory,
  ) {}

  /** @throws DomainError `collections.unknown`, `documents.metadata-mismatch`, `documents.external-id-taken` */
  async create({ collection: name, ...fields }: DocumentInput, { within, ...options }: CreateOptions): Promise<WrittenDocumentReply> {
    const collection = await this.collectionOf(name);
    assertMetadata(fields.metadata, collection);
    const document = { ...fields, collection_id: collection.id };
    const { id } = await this.writer.insert(document, collection, within && this.withDocument(within));
    return this.written(await this.get(id), options);
  }

  /**
   * Creates or replaces documents by their external id in one transaction; those without one are created. A document that the stored data
   * refuse does not hold up the others.
   *
   * @param within is committed together with the documents; not called when all are refused
   * @returns what became of each, in their order
   */
  async upsertBatch(inputs: readonly DocumentInput[], within?: WithinWrite<BatchItem[]>): Promise<BatchItem[]> {
    const found = await this.collections.findAll([...new Set(inputs.map(({ collection }) => collection))]);
    const refused = refuse(inputs, found);
    const accepted = inputs.filter((_, index) => refused[index] === null);
    const documents = accepted.map(({ collection, ...fields }) => ({ ...fields, collection_id: found.get(collection)!.id }));
    if (documents.length === 0) return mergeItems(refused, []);
    const byId = new Map([...found.values()].map((collection) => [collection.id, collection]));
    const withItems: WithinWrite<WrittenDocument[]> | undefined =
      within && ((session, written) => within(session, mergeItems(refused, written)));
    const written = await this.writer.upsertAll(documents, byId, withItems);
    this.wake();
    return mergeItems(refused, written);
  }

  /** @param collections ids of those that the reader may see; `null` = all. @throws DomainError `documents.not-found` */
  async get(id: string, collections: ReadonlySet<string> | null = null): Promise<Document> {
    const document = await this.repository.find(id);
    if (document === null || (collections !== null && !collections.has(document.collection_id)))
      throw new DomainError('documents.not-found');
    return document;
  }

  /**
   * Returns a page.
   *
   * @throws DomainError `request.invalid` when the cursor is damaged or belongs to another query, `collections.unknown`
   */
  async list(
    query: Omit<DocumentListQuery, 'after' | 'filter'> & {
      readonly filter: Omit<DocumentFilter, 'collectionId'> & { readonly collection: string | null };
      readonly cursor: string | null;
    },
  ): Promise<DocumentPage> {
    const { collection, ...rest } = query.filter;
    const collectionId = collection === null ? null : (await this.collectionOf(collection, '?collection')).id;
    const resolved = { ...query, filter: { ...rest, collectionId } };
    const after = query.cursor === null ? null : decodeCursor(query.cursor, resolved);
    if (query.cursor !== null && after === null) throw foreignCursor();
    const { items, hasMore } = await this.repository.list({ ...resolved, after });
    const last = items.at(-1);
    const nextCursor = hasMore && last !== undefined ? encodeCursor(resolved, positionOf(last, query.sort.column)) : null;
    return { items, nextCursor };
  }

  /** Writes the whole document. @throws DomainError `documents.not-found`, `request.precondition-failed`, and as {@link create} */
  async replace(
    id: string,
    { collection: name, ...fields }: DocumentInput,
    options: ConditionalWriteOptions,
  ): Promise<WrittenDocumentReply> {
    const collection = await this.collectionOf(name);
    assertMetadata(fields.metadata, collection);
    return this.written(
      await this.updater.update(await this.get(id, options.expected.collections), fields, collection, options.expected),
      options,
    );
  }

  /** Writes the named fields; an empty patch changes nothing and answers with the row. @throws DomainError as {@link replace} */
  async patch(
    id: string,
    { collection: name, ...fields }: DocumentPatch & { readonly collection?: string },
    options: ConditionalWriteOptions,
  ): Promise<WrittenDocumentReply> {
    const document = await this.get(id, options.expected.collections);
    const collection = await this.collectionOf(name ?? document.collection_id);
    if (name !== undefined || fields.metadata !== undefined) assertMetadata(fields.metadata ?? document.metadata, collection);
    return this.written(await this.updater.update(document, fields, collection, options.expected), options);
  }

  /** @throws DomainError `documents.not-found`, `request.precondition-failed` */
  async delete(id: string, expected: DocumentPreconditions): Promise<void> {
    await this.repository.delete(id, expected);
    this.directory.wake();
  }

  /** Deletes those that exist. @returns their ids */
  async deleteAll(ids: readonly string[]): Promise<string[]> {
    const deleted = await this.repository.deleteAll(ids);
    this.directory.wake();
    return deleted;
  }

  /** Says where the document stands on its way into the index. @throws DomainError `documents.not-found` */
  async indexStatus(id: string): Promise<DocumentIndexStatus> {
    const document = await this.get(id);
    if (document.chunked_version !== document.version) {
      return { document, state: 'pending', chunks: null, chunkingError: await this.repository.findChunkingError(id) };
    }
    const ids = await this.chunks.idsOf(id);
    const counts = await this.directory.entryCounts(DOCUMENT_SOURCE, ids);
    const state = counts.dead > 0 ? 'dead' : counts.pending > 0 ? 'pending' : 'synced';
    return { document, state, chunks: { total: ids.length, ...counts }, chunkingError: null };
  }

  private withDocument(within: WithinWrite<Document>): WithinWrite<WrittenDocument> {
    return async (session, { id }) => within(session, (await this.repository.findAll([id], session)).get(id)!);
  }

  private async written(document: Document, options: WriteOptions): Promise<WrittenDocumentReply> {
    this.wake();
    return { document, indexState: await this.waitForIndex(document.id, options.waitForIndexMs) };
  }

  private wake(): void {
    this.deriver.wake();
    this.directory.wake();
  }

  /** Never rejects: the write has happened, whatever engine and index do. */
  private async waitForIndex(id: string, waitMs: number): Promise<DocumentIndexState> {
    const deadlineMs = performance.now() + waitMs;
    while (performance.now() < deadlineMs) {
      try {
        const { state } = await this.indexStatus(id);
        if (state !== 'pending') return state;
      } catch {
        return 'pending';
      }
      await delay(WAIT_POLL_MS);
    }
    return 'pending';
  }

  private async collectionOf(nameOrId: string, pointer = '/collection'): Promise<Collection> {
    const collection = await this.collections.find(nameOrId);
    if (collection === null) throw unknownCollection(pointer);
    return collection;
  }
}

function assertMetadata(metadata: Document['metadata'], { metadata_keys }: Collection): void {
  const fields = findMetadataProblems(metadata, metadata_keys);
  if (fields.length > 0) throw new DomainError('documents.metadata-mismatch', { fields });
}

/** What is refused before anything is written; `null` = accepted. */
function refuse(inputs: readonly DocumentInput[], collections: ReadonlyMap<string, Collection>): (BatchItem | null)[] {
  const seen = new Set<string>();
  return inputs.map(({ collection: name, external_id, metadata }, index) => {
    const collection = collections.get(name);
    const place = `/documents/${index}`;
    if (collection === undefined) return failed(unknownCollection(`${place}/collection`));
    const mismatches = findMetadataProblems(metadata, collection.metadata_keys, `${place}/metadata`);
    if (mismatches.length > 0) return failed(new DomainError('documents.metadata-mismatch', { fields: mismatches }));
    if (external_id === null) return null;
    const key = documentKeyOf(collection.id, external_id);
    if (seen.has(key)) return failed(duplicate(`${place}/external_id`));
    seen.add(key);
    return null;
  });
}

/** What was accepted has been written, in its order. */
function mergeItems(refused: readonly (BatchItem | null)[], written: readonly WrittenDocument[]): BatchItem[] {
  let next = 0;
  return refused.map((item) => item ?? written[next++]!);
}

function failed({ code, fields }: DomainError): BatchItem {
  return { outcome: 'failed', code, problems: fields };
}

function duplicate(pointer: string): DomainError {
  const detail = 'occurs earlier in this batch';
  return new DomainError('documents.external-id-taken', { fields: [{ pointer, code: 'duplicate', detail }] });
}

function positionOf(document: Document, column: DocumentSortColumn) {
  return { value: document[column], id: document.id };
}
