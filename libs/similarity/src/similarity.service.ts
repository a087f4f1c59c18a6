import { SearchConfig } from '#config';
import type { Embedder, Embedding } from '#embeddings';
import { DomainError } from '#kernel';
import { PROJECT_SOURCE, ProjectRepository, renderProjectText } from '#projects';
import { CandidateSearch, ServingTargets, withIndexErrors, type Freshness, type Provenance } from '#search';
import type { ServingIndex } from '#sync';
import { SearchStore, VectorStoreError, type Answered, type CollectionInfo } from '#vector-store';
import { Injectable } from '@nestjs/common';
import { vectorFilterOf } from './search-filter.js';
import type { BatchSearch, IndexStatistics, SearchOptions, SearchResult, TextSearch } from './search.js';

/** What the index gave, before it is known how far it is behind. */
interface Found {
  readonly results: SearchResult[];
  readonly provenance: Provenance;
}

/** Finds projects that are alike: vectors from the index, rows from PostgreSQL. */
@Injectable()
export class SimilarityService {
  constructor(
    private readonly targets: ServingTargets,
    private readonly candidates: CandidateSearch,
    private readonly store: SearchStore,
    private readonly repository: ProjectRepository,
    private readonly config: SearchConfig,
  ) {}

  /** @throws DomainError `search.index-unavailable`, `search.embedder-unavailable`, `search.not-ready` */
  async findSimilar(search: TextSearch): Promise<SearchResult & Freshness> {
    const target = await this.targets.find(PROJECT_SOURCE, search.consistency);
    const embedding = target.serving.embedder.embedQuery(search.query);
    const [{ results, provenance }, index] = await Promise.all([
      this.search(target.serving, [embedding], search),
      this.targets.view(target),
    ]);
    return { ...results[0]!, ...(await this.targets.freshness(target, provenance, index)) };
  }

  /** Answers several queries at the price of little more than one: embedded side by side, searched for as they come, read in one statement. Errors as {@link findSimilar}. */
  async findSimilarBatch(search: BatchSearch): Promise<{ readonly results: SearchResult[] } & Freshness> {
    const target = await this.targets.find(PROJECT_SOURCE, search.consistency);
    const embeddings = search.queries.map((query) => target.serving.embedder.embedQuery(query));
    const [{ results, provenance }, index] = await Promise.all([
      this.search(target.serving, embeddings, search),
      this.targets.view(target),
    ]);
    return { results, ...(await this.targets.freshness(target, provenance, index)) };
  }

  /**
   * Finds projects like a stored one, itself left out. Its text is embedded as it is now, so that a row that is not indexed yet, or was changed a
   * moment ago, is compared by its present content.
   *
   * @throws DomainError `projects.not-found`, and as {@link findSimilar}
   */
  async findSimilarTo(id: string, options: SearchOptions): Promise<SearchResult & Freshness> {
    const [target, project] = await Promise.all([this.targets.find(PROJECT_SOURCE, options.consistency), this.repository.find(id)]);
    if (project === null) throw new DomainError('projects.not-found');
    const embedding = embedStored(target.serving.embedder, renderProjectText(project));
    const [{ results, provenance }, index] = await Promise.all([
      this.search(target.serving, [embedding], options, id),
      this.targets.view(target),
    ]);
    return { ...results[0]!, ...(await this.targets.freshness(target, provenance, index)) };
  }

  /** Describes the serving index. @throws DomainError `search.index-unavailable`, `search.not-ready` */
  async statistics(): Promise<IndexStatistics> {
    const target = await this.targets.find(PROJECT_SOURCE, undefined);
    const [answered, index] = await Promise.all([this.describe(target.serving), this.targets.view(target)]);
    const { value, ...provenance } = answered;
    const { status, dimensions, pointsCount, indexedVectorsCount } = value;
    return { ...provenance, index, collection: target.serving.collection, status, dimensions, pointsCount, indexedVectorsCount };
  }

  private async search(
    serving: ServingIndex,
    embeddings: readonly Promise<Embedding>[],
    options: SearchOptions,
    excludedId?: string,
  ): Promise<Found> {
    const { hits, provenance } = await this.candidates.find({
      collection: serving.collection,
      vectors: embeddings.map(async (embedding) => (await embedding).vector),
      topK: options.topK,
      threshold: options.threshold ?? this.config.defaultThreshold,
      filter: vectorFilterOf(options.filter),
      readRows: (ids) => this.repository.findMatching(ids, options.filter),
      excludedId,
    });
    const results = (await Promise.all(embeddings)).map(({ isTruncated }, index) => ({ hits: hits[index]!, isTruncated }));
    return { results, provenance };
  }

  private async describe({ collection }: ServingIndex): Promise<Answered<CollectionInfo>> {
    return withIndexErrors(() =>
      this.store.answer(collection, async (store) => {
        const info = await store.info(collection);
        if (info === null) throw new VectorStoreError('collection-missing', 'The serving collection is missing');
        return info;
      }),
    );
  }
}

/** With equal prefixes a document and a query of the same text have the same vector, and the lane of queries does not wait behind an import. */
async function embedStored(embedder: Embedder, text: string): Promise<Embedding> {
  const { query_prefix, document_prefix } = embedder.descriptor;
  if (query_prefix === document_prefix) return embedder.embedQuery(text);
  const [embedding] = await embedder.embedDocuments([text]);
  return embedding!;
}
