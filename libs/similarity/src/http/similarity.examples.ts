import { CONSISTENCY_TOKEN_EXAMPLE, PROJECT_EXAMPLE } from '#projects';
import { consistencyHeaderOf } from '#search';

/** Examples of the OpenAPI document; a test validates each against its schema. */
export const FIND_SIMILAR_EXAMPLE = {
  query: 'modern oak kitchen with an island',
  top_k: 3,
  threshold: 0.3,
  filters: { project_type: ['kitchen', 'furniture'], final_price: { gte: 5000, lt: 20000 } },
};

export const FRESH_SIMILAR_EXAMPLE = { query: 'oak kitchen', consistency_token: CONSISTENCY_TOKEN_EXAMPLE, wait_ms: 2000 };

/** The request header of every search. */
export const CONSISTENCY_HEADER = consistencyHeaderOf(CONSISTENCY_TOKEN_EXAMPLE);

export const BATCH_SIMILAR_EXAMPLE = { queries: ['oak kitchen', 'spiral staircase in beech'], top_k: 1 };

const FRESHNESS = { degraded: false, source: 'local', index: { generation: '1', model: 'all-MiniLM-L6-v2:q8', pending: 0 } };
const FOUND = { project: PROJECT_EXAMPLE, similarity: 0.7312, rank: 1 };
const SCORES = { vector: { similarity: 0.7312, rank: 1 }, keyword: { score: 0.5123, rank: 1 }, fused: 0.032787 };
const RESULT = { results: [{ ...FOUND, scores: SCORES }], total: 1, truncated: false };

export const SEARCH_REPLY_EXAMPLE = { ...RESULT, search_time_ms: 4.1, ...FRESHNESS };

/** By vector alone. */
export const VECTOR_REPLY_EXAMPLE = { ...SEARCH_REPLY_EXAMPLE, results: [FOUND] };

/** While neither index nor copy, or not the model, can answer. */
export const KEYWORD_REPLY_EXAMPLE = {
  ...SEARCH_REPLY_EXAMPLE,
  results: [{ ...FOUND, similarity: null, scores: { ...SCORES, vector: null, fused: 0.016393 } }],
  degraded: true,
  source: 'keyword',
};

/** While Qdrant is away. */
export const DEGRADED_REPLY_EXAMPLE = {
  ...SEARCH_REPLY_EXAMPLE,
  degraded: true,
  index_age_seconds: 12.4,
  index: { ...FRESHNESS.index, pending: 7 },
};

/** The write of the token was not in the index when the time to wait was over. */
export const STALE_REPLY_EXAMPLE = { ...SEARCH_REPLY_EXAMPLE, index: { ...FRESHNESS.index, pending: 12 }, freshness: 'stale', backlog: 12 };

export const BATCH_REPLY_EXAMPLE = {
  results: [
    { ...RESULT, ...FRESHNESS },
    { results: [], total: 0, truncated: false, ...FRESHNESS },
  ],
  batch_time_ms: 9.8,
};

export const STATS_REPLY_EXAMPLE = {
  vector_index: 'local',
  status: 'green',
  points_count: 162,
  vectors_count: 162,
  indexed_vectors_count: 0,
  collection: 'kindred_projects_g1_5f3a9c',
  dimensions: 384,
  ...FRESHNESS,
};
