import type { Freshness, IndexStatistics, SearchResult } from '../search.js';
import type { BatchEntry, SearchReply, StatsReply } from './similarity.schemas.js';

/** Milliseconds with a tenth: more digits would only be noise. */
export function elapsedMsSince(startedAtMs: number): number {
  return Math.round((performance.now() - startedAtMs) * 10) / 10;
}

export function searchReplyOf(result: SearchResult & Freshness, startedAtMs: number): SearchReply {
  const { results, total, truncated } = resultFields(result);
  return {
    results,
    total,
    truncated,
    search_time_ms: elapsedMsSince(startedAtMs),
    ...freshnessFields(result),
    ...consistencyFields(result),
  };
}

export function batchEntryOf(result: SearchResult, freshness: Freshness): BatchEntry {
  return { ...resultFields(result), ...freshnessFields(freshness), ...consistencyFields(freshness) };
}

export function statsReplyOf(statistics: IndexStatistics): StatsReply {
  return {
    vector_index: statistics.source,
    status: statistics.status,
    points_count: statistics.pointsCount,
    // One vector per point.
    vectors_count: statistics.pointsCount,
    indexed_vectors_count: statistics.indexedVectorsCount,
    collection: statistics.collection,
    dimensions: statistics.dimensions,
    ...freshnessFields(statistics),
  };
}

function resultFields({ hits, isTruncated }: SearchResult) {
  return { results: hits, total: hits.length, truncated: isTruncated };
}

function freshnessFields({ isDegraded, source, indexAgeSeconds, index }: Freshness) {
  return { degraded: isDegraded, source, ...(indexAgeSeconds === null ? {} : { index_age_seconds: toTenths(indexAgeSeconds) }), index };
}

/** Up, so that an age is never understated. */
function toTenths(seconds: number): number {
  return Math.ceil(seconds * 10) / 10;
}

/** Nothing when the search named no write. */
function consistencyFields({ consistency }: Freshness) {
  if (consistency === undefined) return {};
  const { isFresh, backlog } = consistency;
  return { freshness: isFresh ? ('fresh' as const) : ('stale' as const), ...(backlog === null ? {} : { backlog }) };
}
