import type { HealthSnapshot } from '../health-monitor.js';
import type { IndexedCollection } from '../indexed-collections.js';
import type { HealthDetail } from './health-detail.js';
import { stateOf, type HealthReply, type ServiceState } from './health-report.js';

/** An event loop that was this late has kept every request waiting that came meanwhile. */
const STALLED_MS = 1_000;
const BYTES_PER_MIB = 1_048_576;

export function detailedReplyOf(snapshot: HealthSnapshot, health: HealthReply, detail: HealthDetail | null) {
  const { relay, eventLoop } = snapshot;
  const isStalled = eventLoop.maxMs >= STALLED_MS;
  const isWorse = health.status === 'ok' && (isStalled || relay.state === 'stalled');
  return {
    ...health,
    status: isWorse ? ('degraded' as const) : health.status,
    timestamp: snapshot.takenAt.toISOString(),
    startup: snapshot.startup,
    uptime_seconds: Math.floor(process.uptime()),
    relay: { state: relay.state, pending: relay.pending, seconds_without_progress: relay.secondsWithoutProgress },
    event_loop: {
      is_stalled: isStalled,
      delay_p50_ms: rounded(eventLoop.p50Ms),
      delay_p99_ms: rounded(eventLoop.p99Ms),
      delay_max_ms: rounded(eventLoop.maxMs),
    },
    memory_mib: Math.round(process.memoryUsage.rss() / BYTES_PER_MIB),
    versions: detail === null ? null : { node: detail.nodeVersion, vector_store: snapshot.vectorStore.value?.version ?? null },
    vector_store: vectorStoreReplyOf(snapshot, detail),
  };
}

export function vectorStoreReplyOf({ takenAt, vectorStore, collections }: HealthSnapshot, detail: HealthDetail | null) {
  const server = detail?.vectorStoreUrl === null || detail === null ? null : new URL(detail.vectorStoreUrl);
  const all = collections.map(collectionReplyOf);
  return {
    status: stateOf(vectorStore),
    timestamp: takenAt.toISOString(),
    store_type: vectorStore.source,
    server: {
      host: server?.hostname ?? null,
      port: server === null ? null : portOf(server),
      response_time_ms: vectorStore.responseTimeMs === null ? null : rounded(vectorStore.responseTimeMs),
      collections_count: vectorStore.value?.collectionsCount ?? null,
    },
    /** The first source, for readers that know one collection only. */
    collection: all[0] ?? null,
    collections: all,
  };
}

function collectionReplyOf({ source, name, info }: IndexedCollection) {
  return {
    source,
    name,
    exists: info !== null,
    stats: info === null ? null : { total_points: info.pointsCount, vector_dimension: info.dimensions, distance_metric: 'Cosine' as const },
  };
}

export function serviceStatusReplyOf({ vectorStore }: HealthSnapshot) {
  const isAvailable = stateOf(vectorStore) !== 'unhealthy';
  return { qdrant_available: isAvailable, message: isAvailable ? ('Full service' as const) : ('Limited mode' as const) };
}

export function diagnosticsReplyOf({ database, vectorStore, embeddingService }: HealthSnapshot, detail: HealthDetail | null) {
  const isConnected = (state: ServiceState) => state === 'healthy' || state === 'degraded';
  return {
    services: {
      database: { connected: isConnected(stateOf(database)), url: detail?.databaseUrl ?? null },
      qdrant: { connected: isConnected(stateOf(vectorStore)), url: detail?.vectorStoreUrl ?? null, store_type: vectorStore.source },
      openai: { connected: isConnected(embeddingService), url: detail?.openAiUrl ?? null },
    },
  };
}

function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
