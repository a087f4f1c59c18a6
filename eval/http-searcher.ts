import type { ApiClient } from './api-client.js';
import type { Mode, Searcher, SetName } from './searcher.js';

/** A document answers with several chunks; so many are asked for per document that is wanted. */
const CHUNKS_PER_DOCUMENT = 5;
const TOP_K_MAXIMUM = 100;
/** Below every similarity: what is found is judged by its rank alone. */
const NO_THRESHOLD = -1;

interface Row {
  readonly id: string;
  readonly external_id: string | null;
}

interface SearchReply {
  readonly results: readonly { readonly project?: Row; readonly document?: Row }[];
}

/** Searches a service by its public API: projects by `find-similar`, documents by `query`, whose chunks count as the document they belong to. */
export class HttpSearcher implements Searcher {
  constructor(private readonly client: ApiClient) {}

  async search(set: SetName, query: string, mode: Mode, k: number): Promise<string[]> {
    const [path, topK] =
      set === 'projects'
        ? ['/api/v1/similarity/find-similar', Math.min(k, TOP_K_MAXIMUM)]
        : ['/api/v1/query', Math.min(k * CHUNKS_PER_DOCUMENT, TOP_K_MAXIMUM)];
    const { results } = await this.client.call<SearchReply>('POST', path, { query, mode, top_k: topK, threshold: NO_THRESHOLD });
    const ids = results.map(({ project, document }) => {
      const row = (set === 'projects' ? project : document)!;
      return row.external_id ?? row.id;
    });
    return [...new Set(ids)].slice(0, k);
  }
}
