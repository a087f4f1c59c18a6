import { renderTable } from '#kernel';

/** `GET /health/vector-store`; 503 has the same body. */
export interface IndexHealth {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly store_type: 'local' | 'qdrant';
  readonly server: {
    readonly host: string | null;
    readonly port: number | null;
    readonly version?: string | null;
    readonly response_time_ms: number | null;
    readonly collections_count: number | null;
  };
  readonly collections: readonly {
    readonly source: string;
    readonly name: string | null;
    readonly exists: boolean;
    readonly stats: { readonly total_points: number; readonly vector_dimension: number; readonly distance_metric: string } | null;
  }[];
}

/** `GET /api/v1/admin/index/stats`: the index is asked itself. */
export interface IndexStatsReply {
  readonly store: 'local' | 'qdrant';
  readonly version: string | null;
  readonly collections_count: number;
  readonly collections: readonly { readonly generation: number; readonly points_count: number | null }[];
}

export const INDEX_HEALTH_PATH = '/health/vector-store';

export function collectionTable({ collections }: Pick<IndexHealth, 'collections'>): string {
  if (collections.length === 0) return 'There are no collections to see.';
  return renderTable(
    ['source', 'collection', 'points', 'dimensions', 'metric'],
    collections.map(({ source, name, exists, stats }) => [
      source,
      name === null ? 'being made' : exists ? name : `${name} (missing)`,
      stats?.total_points ?? '-',
      stats?.vector_dimension ?? '-',
      stats?.distance_metric ?? '-',
    ]),
  );
}

/** The index in a sentence. */
export function indexText({ status, store_type, server }: IndexHealth): string {
  const where = server.host === null ? '' : ` at ${server.host}${server.port === null ? '' : `:${server.port}`}`;
  const version = server.version === undefined || server.version === null ? '' : ` ${server.version}`;
  const time = server.response_time_ms === null ? '' : `, ${server.response_time_ms} ms`;
  const name = store_type === 'local' ? 'The index in the process of the service' : `Qdrant${version}${where}`;
  return status === 'unhealthy' ? `${name} does not answer${time}.` : `${name} answers: ${status}${time}.`;
}

/** Whether every source has a collection that exists. */
export function isComplete({ status, collections }: IndexHealth): boolean {
  return status !== 'unhealthy' && collections.length > 0 && collections.every(({ exists }) => exists);
}
