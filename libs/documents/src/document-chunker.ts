import { IndexDirectory } from '#sync';
import { Injectable } from '@nestjs/common';
import { chunkDocuments } from './chunking/chunk-documents.js';
import type { ChunkRow } from './chunk.js';
import { chunkPayloadOf } from './chunk-payload.js';
import type { Collection } from './collection.js';
import { detectLanguage } from './detect-language.js';
import { DOCUMENT_SOURCE, type Document } from './document.js';

/** What chunks are made from. */
export type DocumentContent = Pick<Document, 'id' | 'collection_id' | 'title' | 'content' | 'kind' | 'language' | 'metadata'>;
export type ChunkSettings = Pick<Collection, 'language' | 'chunk_tokens' | 'chunk_overlap_tokens' | 'metadata_keys'>;

/** Makes the chunks of documents, by the tokens of the model that answers searches. Pure otherwise: what it gives depends on nothing but its arguments. */
@Injectable()
export class DocumentChunker {
  constructor(private readonly directory: IndexDirectory) {}

  /**
   * Makes the rows of `chunks`, for each document in order.
   *
   * @throws DomainError `search.not-ready`, `search.embedder-unavailable`
   */
  async chunk(documents: readonly { readonly document: DocumentContent; readonly settings: ChunkSettings }[]): Promise<ChunkRow[][]> {
    if (documents.length === 0) return [];
    const { embedder } = await this.directory.serving(DOCUMENT_SOURCE);
    const languages = documents.map(
      ({ document, settings }) => document.language ?? settings.language ?? detectLanguage(`${document.title}\n${document.content}`),
    );
    const chunks = await chunkDocuments(
      documents.map(({ document, settings }, index) => ({
        ...document,
        language: languages[index]!,
        chunkTokens: settings.chunk_tokens,
        overlapTokens: settings.chunk_overlap_tokens,
      })),
      { maxTokens: embedder.maxTokens, countTokens: (texts) => embedder.countTokens(texts) },
    );
    return documents.map(({ document, settings }, index) => {
      const common = { documentId: document.id, collectionId: document.collection_id, language: languages[index]! };
      const payload = chunkPayloadOf(document, settings.metadata_keys);
      return chunks[index]!.map((chunk) => ({ ...chunk, ...common, payload }));
    });
  }
}
