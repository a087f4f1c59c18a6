import { consistencyReplyOf, elapsedMsSince, freshnessReplyOf, scoresReplyOf, type Freshness } from '#search';
import type { IndexStatistics, SearchResult } from '../search.js';
import type { BatchEntry, SearchReply, StatsReply } from './similarity.schemas.js';

export function searchReplyOf(result: SearchResult & Freshness, startedAtMs: number): SearchReply {
  const { results, total, truncated } = resultFields(result);
  return {
    results,
    total,
    truncated,
    search_time_ms: elapsedMsSince(startedAtMs),
    ...freshnessReplyOf(result),
    ...consistencyReplyOf(result),
  };
}

export function batchEntryOf(result: SearchResult, freshness: Freshness): BatchEntry {
  return { ...resultFields(result), ...freshnessReplyOf(freshness), ...consistencyReplyOf(freshness) };
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
    ...freshnessReplyOf(statistics),
  };
}

function resultFields({ hits, isTruncated }: SearchResult) {
  return {
    results: hits.map(({ row, similarity, rank, scores }) => ({ project: row, similarity, rank, ...scoresReplyOf(scores) })),
    total: hits.length,
    truncated: isTruncated,
  };
}
