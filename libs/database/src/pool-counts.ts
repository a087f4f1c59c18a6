import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';

/** The connections of one pool now. */
export interface PoolCounts {
  readonly maximum: number;
  /** Open ones. */
  readonly total: number;
  /** Open ones that nobody uses. */
  readonly idle: number;
  /** Callers that wait for one. */
  readonly waiting: number;
}

export function poolCountsOf({ driver }: DataSource): PoolCounts {
  // TypeORM's PostgreSQL driver keeps the pool of the `pg` package here; its typings call it `any`.
  const { options, totalCount, idleCount, waitingCount } = (driver as unknown as { readonly master: Pool }).master;
  return { maximum: options.max, total: totalCount, idle: idleCount, waiting: waitingCount };
}
