import { Erasures } from '#erasure';
import { IndexDirectory } from '#sync';
import { Injectable } from '@nestjs/common';
import { ChunkRepository } from './chunk.repository.js';
import type { ExpectedVersions } from './collection.repository.js';
import { DOCUMENT_SOURCE } from './document.js';
import { DocumentRepository } from './document.repository.js';

/** Deletes documents with a receipt. */
@Injectable()
export class DocumentErasure {
  constructor(
    private readonly erasures: Erasures,
    private readonly repository: DocumentRepository,
    private readonly chunks: ChunkRepository,
    private readonly directory: IndexDirectory,
  ) {}

  /** Deletes the document; resolves with the id of the erasure. @throws DomainError `documents.not-found`, `request.precondition-failed`, `erasures.log-unavailable` */
  async erase(id: string, expected: ExpectedVersions): Promise<string> {
    try {
      return await this.erasures.request({
        kind: 'document',
        targetId: id,
        source: DOCUMENT_SOURCE,
        pointIds: async (session) => {
          // Whoever is making chunks of it holds this row, and is waited for: its chunks are among those that are read then.
          await session.query('SELECT 1 FROM documents WHERE id = $1::uuid FOR UPDATE', [id]);
          return this.chunks.idsOf(id, session);
        },
        remove: (session) => this.repository.delete(id, { versions: expected, collections: null }, session),
      });
    } finally {
      this.directory.wake();
    }
  }
}
