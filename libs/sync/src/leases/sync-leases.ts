import type { SqlSession } from '#database';
import type { IdGenerator } from '#kernel';
import { hostname } from 'node:os';
import { HeldLease } from './held-lease.js';

/* One statement, by the database's clock: a lease that has ended is taken over by whoever comes first. */
const ACQUIRE = `
INSERT INTO sync_leases AS l (name, token, holder, lease_until)
VALUES ($1, $2, $3, clock_timestamp() + $4::double precision * interval '1 millisecond')
ON CONFLICT (name) DO UPDATE SET token = EXCLUDED.token, holder = EXCLUDED.holder, acquired_at = now(), lease_until = EXCLUDED.lease_until
WHERE l.lease_until <= clock_timestamp()`;

const LEASE_DEFAULT_MS = 30_000;

/** Who holds a lease, for people: host and process. */
export const thisProcess = (): string => `${hostname()}:${process.pid}`;

/** Rights of which one process among many has each: reconciling a generation, healing it after a restore, filling it. */
export class SyncLeases {
  constructor(
    private readonly session: SqlSession,
    private readonly ids: IdGenerator,
  ) {}

  /**
   * Takes the right, or returns `null` when another process has it. It is renewed in the background until it is released.
   *
   * @param durationMs how long it outlives a process that dies; default 30,000
   */
  async acquire(name: string, durationMs = LEASE_DEFAULT_MS): Promise<HeldLease | null> {
    const token = this.ids.uuid();
    const { rowCount } = await this.session.query(ACQUIRE, [name, token, thisProcess(), durationMs]);
    return rowCount === 1 ? new HeldLease(this.session, name, token, durationMs) : null;
  }
}
