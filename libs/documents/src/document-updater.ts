import { UnitOfWork, type SqlSession } from '#database';
import { Injectable } from '@nestjs/common';
import type { Collection } from './collection.js';
import type { Document, DocumentPatch } from './document.js';
import { hasSameChunks } from './document-comparison.js';
import { DocumentChunker, type CutDocuments } from './document-chunker.js';
import { DocumentRepository, type DocumentPreconditions } from './document.repository.js';
import { holdCollections } from './hold-collections.js';
import { markChunked, rewriteChunks } from './rewrite-chunks.js';

/** Changes single documents together with their chunks. */
@Injectable()
export class DocumentUpdater {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly repository: DocumentRepository,
    private readonly chunker: DocumentChunker,
  ) {}

  /**
   * Writes the named fields, and the chunks of what the document then is, in one transaction. While the model is away, or when somebody else has written the document in
   * the same moment, the deriver makes the chunks, and until then searches do not find the document.
   *
   * @param before the document as it was read
   * @param collection that it is in afterwards
   * @throws DomainError as {@link DocumentRepository.update}
   */
  async update(before: Document, patch: DocumentPatch, collection: Collection, expected: DocumentPreconditions): Promise<Document> {
    const after = { ...before, ...patch, collection_id: collection.id };
    const columns = { ...patch, ...(collection.id === before.collection_id ? {} : { collection_id: collection.id }) };
    const cut = hasSameChunks(before, after) ? null : await this.chunker.tryChunk([{ document: after, settings: collection }]);
    if (cut === null) return this.repository.update(before.id, columns, expected);
    return this.unitOfWork.run(async (session) => {
      const current = await holdCollections(session, new Map([[collection.id, collection.version]]), cut.modelRev);
      const written = await this.repository.update(before.id, columns, expected, session);
      return current.has(collection.id) && written.version === before.version + 1 ? this.writeChunks(session, written, cut) : written;
    });
  }

  private async writeChunks(session: SqlSession, document: Document, { chunks }: CutDocuments): Promise<Document> {
    await rewriteChunks(session, [document.id], chunks[0]!);
    await markChunked(session, [document.id]);
    return { ...document, chunked_version: document.version };
  }
}
