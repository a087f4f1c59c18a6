import { DomainError } from '#kernel';
import { IndexDirectory } from '#sync';
import { Injectable, Logger } from '@nestjs/common';
import { chunkDocuments } from './chunking/chunk-documents.js';
import type { ChunkRow } from './chunk.js';
import { chunkPayloadOf } from './chunk-payload.js';
import type { Collection } from './collection.js';
import { detectLanguage } from './detect-language.js';
import { DOCUMENT_SOURCE, type Document } from './document.js';

/** What chunks are made from. */
export type DocumentContent = Pick<Document, 'id' | 'collection_id' | 'title' | 'content' | 'kind' | 'language' | 'metadata'>;
export type ChunkSettings = Pick<Collection, 'language' | 'chunk_tokens' | 'chunk_overlap_tokens' | 'metadata_keys'>;

/** Chunks, and what they were cut for. */
export interface CutDocuments {
  /** Of each document, in their order. */
  readonly chunks: readonly ChunkRow[][];
  /** Of the model by whose tokens they were cut; `null` = there was nothing to cut. */
  readonly modelRev: string | null;
}

interface DocumentToCut {
  readonly document: DocumentContent;
  readonly settings: ChunkSettings;
}

/** Makes the chunks of documents, by the tokens of the model that answers searches. Pure otherwise: what it gives depends on nothing but its arguments. */
@Injectable()
export class DocumentChunker {
  private readonly logger = new Logger(DocumentChunker.name);

  constructor(private readonly directory: IndexDirectory) {}

  /** The model whose tokens are counted now. @throws DomainError `search.not-ready` */
  async modelRev(): Promise<string> {
    return (await this.directory.serving(DOCUMENT_SOURCE)).embedder.modelRev;
  }

  /** As {@link chunk}; `null` = the model is away, and the deriver will make them. */
  async tryChunk(documents: readonly DocumentToCut[]): Promise<CutDocuments | null> {
    try {
      return await this.chunk(documents);
    } catch (error) {
      if (!(error instanceof DomainError) || !error.definition.retryable) throw error;
      this.logger.warn(`Documents are stored without chunks, which are made later: ${error.message}`);
      return null;
    }
  }

  /**
   * Makes the rows of `chunks`, for each document in order.
   *
   * @throws DomainError `search.not-ready`, `search.embedder-unavailable`
   */
  async chunk(documents: readonly DocumentToCut[]): Promise<CutDocuments> {
    if (documents.length === 0) return { chunks: [], modelRev: null };
    const { embedder } = await this.directory.serving(DOCUMENT_SOURCE);
    const languages = documents.map(
      ({ document, settings }) => document.language ?? settings.language ?? detectLanguage(`${document.title}\n${document.content}`),
    );
    const cut = await chunkDocuments(
      documents.map(({ document, settings }, index) => ({
        ...document,
        language: languages[index]!,
        chunkTokens: settings.chunk_tokens,
        overlapTokens: settings.chunk_overlap_tokens,
      })),
      { maxTokens: embedder.maxTokens, countTokens: (texts) => embedder.countTokens(texts) },
    );
    const chunks = documents.map(({ document, settings }, index) => {
      const common = { documentId: document.id, collectionId: document.collection_id, language: languages[index]! };
      const payload = chunkPayloadOf(document, settings.metadata_keys);
      return cut[index]!.map((chunk) => ({ ...chunk, ...common, payload }));
    });
    return { chunks, modelRev: embedder.modelRev };
  }
}
