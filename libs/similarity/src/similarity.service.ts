import type { Embedder, Embedding } from '#embeddings';
import { DomainError } from '#kernel';
import { PROJECT_KEYWORDS, PROJECT_SOURCE, ProjectRepository, renderProjectText, sqlConditionsOf, type Project } from '#projects';
import { HybridSearch, KeywordIndex, ServingTargets, withIndexErrors, type Freshness, type HybridAnswer } from '#search';
import type { ServingIndex } from '#sync';
import { SearchStore, VectorStoreError, type Answered, type CollectionInfo } from '#vector-store';
import { Injectable } from '@nestjs/common';
import { vectorFilterOf } from './search-filter.js';
import type { BatchSearch, IndexStatistics, SearchOptions, SearchResult, TextSearch } from './search.js';

/** What is compared with, and how, where it is not a text that somebody typed. */
interface Comparison {
  readonly texts: readonly string[];
  readonly excludedId?: string;
  readonly embed?: (embedder: Embedder, text: string) => Promise<Embedding>;
}

/** Finds projects that are alike: by vectors from the index, by words in PostgreSQL, or by both; the rows always come from PostgreSQL. */
@Injectable()
export class SimilarityService {
  constructor(
    private readonly searches: HybridSearch,
    private readonly keywords: KeywordIndex,
    private readonly targets: ServingTargets,
    private readonly store: SearchStore,
    private readonly repository: ProjectRepository,
  ) {}

  /** While neither index nor copy, or not the model, can answer, words do. @throws DomainError of the database, without which there is no answer */
  async findSimilar({ query, ...options }: TextSearch): Promise<SearchResult & Freshness> {
    return firstOf(await this.search({ texts: [query] }, options));
  }

  /** Answers several queries at the price of little more than one: embedded side by side, searched for as they come, read in one statement. Errors as {@link findSimilar}. */
  async findSimilarBatch({ queries, ...options }: BatchSearch): Promise<{ readonly results: SearchResult[] } & Freshness> {
    return this.search({ texts: queries }, options);
  }

  /**
   * Finds projects like a stored one, itself left out. Its text is embedded as it is now, so that a row that is not indexed yet, or was changed a
   * moment ago, is compared by its present content.
   *
   * @throws DomainError `projects.not-found`, and as {@link findSimilar}
   */
  async findSimilarTo(id: string, options: SearchOptions): Promise<SearchResult & Freshness> {
    const project = await this.repository.find(id);
    if (project === null) throw new DomainError('projects.not-found');
    return firstOf(await this.search({ texts: [renderProjectText(project)], excludedId: id, embed: embedStored }, options));
  }

  /** Describes the serving index. @throws DomainError `search.index-unavailable`, `search.not-ready` */
  async statistics(): Promise<IndexStatistics> {
    const target = await this.targets.find(PROJECT_SOURCE, undefined);
    const [answered, index] = await Promise.all([this.describe(target.serving), this.targets.view(target)]);
    const { value, ...provenance } = answered;
    const { status, dimensions, pointsCount, indexedVectorsCount } = value;
    return { ...provenance, index, collection: target.serving.collection, status, dimensions, pointsCount, indexedVectorsCount };
  }

  private async search(comparison: Comparison, { filter, ...options }: SearchOptions): Promise<HybridAnswer<Project>> {
    return this.searches.search<Project>({
      ...comparison,
      ...options,
      source: PROJECT_SOURCE,
      filter: vectorFilterOf(filter),
      readRows: (ids) => this.repository.findMatching(ids, filter),
      findByKeywords: (texts, limit) =>
        this.keywords.find(PROJECT_KEYWORDS, { texts, limit, conditionsOf: (parameters) => sqlConditionsOf(filter, parameters) }),
    });
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

function firstOf({ results, ...freshness }: HybridAnswer<Project>): SearchResult & Freshness {
  return { ...results[0]!, ...freshness };
}

/** With equal prefixes a document and a query of the same text have the same vector, and the lane of queries does not wait behind an import. */
async function embedStored(embedder: Embedder, text: string): Promise<Embedding> {
  const { query_prefix, document_prefix } = embedder.descriptor;
  if (query_prefix === document_prefix) return embedder.embedQuery(text);
  const [embedding] = await embedder.embedDocuments([text]);
  return embedding!;
}
