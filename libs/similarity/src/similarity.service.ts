import { SearchConfig } from '#config';
import type { Embedder, Embedding } from '#embeddings';
import { DomainError } from '#kernel';
import { PROJECT_SOURCE, ProjectRepository, renderProjectText } from '#projects';
import { IndexDirectory, type ServingIndex } from '#sync';
import { VectorStore } from '#vector-store';
import { Injectable } from '@nestjs/common';
import { CandidateSearch } from './candidate-search.js';
import { withIndexErrors } from './index-errors.js';
import type { BatchSearch, Freshness, IndexStatistics, SearchOptions, SearchResult, TextSearch } from './search.js';

/** Finds projects that are alike: vectors from the index, rows from PostgreSQL. */
@Injectable()
export class SimilarityService {
  constructor(
    private readonly directory: IndexDirectory,
    private readonly candidates: CandidateSearch,
    private readonly store: VectorStore,
    private readonly repository: ProjectRepository,
    private readonly config: SearchConfig,
  ) {}

  /** @throws DomainError `search.index-unavailable`, `search.embedder-unavailable`, `search.not-ready` */
  async findSimilar(search: TextSearch): Promise<SearchResult & Freshness> {
    const serving = await this.directory.serving(PROJECT_SOURCE);
    const [[result], freshness] = await Promise.all([
      this.search(serving, [serving.embedder.embedQuery(search.query)], search),
      this.freshness(serving),
    ]);
    return { ...result!, ...freshness };
  }

  /** Answers several queries at the price of little more than one: embedded side by side, searched for as they come, read in one statement. Errors as {@link findSimilar}. */
  async findSimilarBatch(search: BatchSearch): Promise<{ readonly results: SearchResult[] } & Freshness> {
    const serving = await this.directory.serving(PROJECT_SOURCE);
    const embeddings = search.queries.map((query) => serving.embedder.embedQuery(query));
    const [results, freshness] = await Promise.all([this.search(serving, embeddings, search), this.freshness(serving)]);
    return { results, ...freshness };
  }

  /**
   * Finds projects like a stored one, itself left out. Its text is embedded as it is now, so that a row that is not indexed yet, or was changed a
   * moment ago, is compared by its present content.
   *
   * @throws DomainError `projects.not-found`, and as {@link findSimilar}
   */
  async findSimilarTo(id: string, options: SearchOptions): Promise<SearchResult & Freshness> {
    const [serving, project] = await Promise.all([this.directory.serving(PROJECT_SOURCE), this.repository.find(id)]);
    if (project === null) throw new DomainError('projects.not-found');
    const embedding = embedStored(serving.embedder, renderProjectText(project));
    const [[result], freshness] = await Promise.all([this.search(serving, [embedding], options, id), this.freshness(serving)]);
    return { ...result!, ...freshness };
  }

  /** Describes the serving index. @throws DomainError `search.index-unavailable`, `search.not-ready` */
  async statistics(): Promise<IndexStatistics> {
    const serving = await this.directory.serving(PROJECT_SOURCE);
    const [info, freshness] = await Promise.all([withIndexErrors(() => this.store.info(serving.collection)), this.freshness(serving)]);
    if (info === null) throw new DomainError('search.index-unavailable');
    const { status, dimensions, pointsCount, indexedVectorsCount } = info;
    return { ...freshness, collection: serving.collection, status, dimensions, pointsCount, indexedVectorsCount };
  }

  private async search(
    serving: ServingIndex,
    embeddings: readonly Promise<Embedding>[],
    options: SearchOptions,
    excludedId?: string,
  ): Promise<SearchResult[]> {
    const hits = await this.candidates.find({
      collection: serving.collection,
      vectors: embeddings.map(async (embedding) => (await embedding).vector),
      topK: options.topK,
      threshold: options.threshold ?? this.config.defaultThreshold,
      filter: options.filter,
      ...(excludedId === undefined ? {} : { excludedId }),
    });
    return (await Promise.all(embeddings)).map(({ isTruncated }, index) => ({ hits: hits[index]!, isTruncated }));
  }

  private async freshness({ generationId, modelLabel }: ServingIndex): Promise<Freshness> {
    const pending = await this.directory.pendingCount(PROJECT_SOURCE);
    return { isDegraded: false, source: this.store.source, index: { generation: String(generationId), model: modelLabel, pending } };
  }
}

/** With equal prefixes a document and a query of the same text have the same vector, and the lane of queries does not wait behind an import. */
async function embedStored(embedder: Embedder, text: string): Promise<Embedding> {
  const { query_prefix, document_prefix } = embedder.descriptor;
  if (query_prefix === document_prefix) return embedder.embedQuery(text);
  const [embedding] = await embedder.embedDocuments([text]);
  return embedding!;
}
