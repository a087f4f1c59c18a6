import {
  ChunkSearchRepository,
  CollectionRepository,
  DOCUMENT_SOURCE,
  unknownCollection,
  vectorFilterOf,
  type ChunkFilter,
  type FoundChunk,
} from '#documents';
import { HybridSearch } from '#search';
import { Injectable } from '@nestjs/common';
import { bestSentence } from './best-sentence.js';
import { assertDeclared } from './declared-keys.js';
import type { QueryRequest, QueryResult } from './query.js';
import { snippetOf } from './snippet.js';

/** Finds the passages of documents that answer a question: by meaning, by words, or by both. */
@Injectable()
export class QueryService {
  constructor(
    private readonly search: HybridSearch,
    private readonly chunks: ChunkSearchRepository,
    private readonly collections: CollectionRepository,
  ) {}

  /**
   * Finds passages, best first. While neither the index nor a copy of it can answer, or the model cannot, the words alone are looked for.
   *
   * @throws DomainError `collections.unknown`, `query.filter-mismatch`, and those of the database
   */
  async find(request: QueryRequest): Promise<QueryResult> {
    const filter = await this.filterOf(request);
    const { results, ...freshness } = await this.search.search<FoundChunk>({
      source: DOCUMENT_SOURCE,
      mode: request.mode,
      texts: [request.query],
      topK: request.topK,
      threshold: request.threshold,
      filter: vectorFilterOf(filter),
      grouping: { maximum: request.chunksPerDocument, groupOf: ({ document }) => document.id },
      readRows: (ids) => this.chunks.findMatching(ids, filter),
      findByKeywords: (texts, limit) => this.chunks.findByKeywords(texts, limit, filter),
    });
    const { hits, isTruncated } = results[0]!;
    const passages = hits.map(({ row, similarity, rank, scores }) => {
      const snippet = snippetOf(row.text, bestSentence(request.query, row.text, row.language));
      return { ...row, similarity, rank, scores, snippet };
    });
    return { ...freshness, passages, isTruncated };
  }

  private async filterOf({ collection: name, kind, filter: metadata }: QueryRequest): Promise<ChunkFilter> {
    const collection = name === null ? null : await this.collections.find(name);
    if (name !== null && collection === null) throw unknownCollection('/collection');
    if (metadata !== null) assertDeclared(metadata, collection === null ? await this.collections.list() : [collection]);
    return { collectionId: collection?.id ?? null, kind, metadata };
  }
}
