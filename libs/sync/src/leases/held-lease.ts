import type { SqlSession } from '#database';

/** The right was needed after it had ended: another process may hold it now, so nothing may be done in its name. */
export class LeaseEndedError extends Error {
  constructor(name: string) {
    super(`The lease ${name} has ended`);
    this.name = 'LeaseEndedError';
  }
}

const RENEW = `
UPDATE sync_leases SET lease_until = clock_timestamp() + $3::double precision * interval '1 millisecond'
WHERE name = $1 AND token = $2 AND lease_until > clock_timestamp()`;

/* FOR SHARE: nobody can take the lease over before the transaction that acts in its name has ended. */
const ASSERT = `SELECT 1 FROM sync_leases WHERE name = $1 AND token = $2 AND lease_until > clock_timestamp() FOR SHARE`;

const RELEASE = `DELETE FROM sync_leases WHERE name = $1 AND token = $2`;

/** Renewals per lease: two of them may fail before it ends. */
const RENEWALS_PER_LEASE = 3;

/** A right that this process holds until it releases it, or stops renewing it. */
export class HeldLease {
  private readonly controller = new AbortController();
  private readonly keeper: NodeJS.Timeout;

  constructor(
    private readonly session: SqlSession,
    readonly name: string,
    readonly token: string,
    private readonly durationMs: number,
  ) {
    this.keeper = setInterval(() => void this.renew().catch(() => undefined), Math.max(1, durationMs / RENEWALS_PER_LEASE));
    this.keeper.unref();
  }

  /** Aborts, with a {@link LeaseEndedError}, as soon as this process knows that the lease is gone. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /**
   * Makes sure, inside the transaction of `session`, that the lease holds until that transaction ends: a process that was frozen past its lease
   * changes nothing.
   *
   * @throws LeaseEndedError
   */
  async assertIn(session: SqlSession): Promise<void> {
    const { rows } = await session.query(ASSERT, [this.name, this.token]);
    if (rows.length === 0) throw this.end();
  }

  /** @throws LeaseEndedError, or what the database said; then the lease still runs, for a while */
  async renew(): Promise<void> {
    const { rowCount } = await this.session.query(RENEW, [this.name, this.token, this.durationMs]);
    if (rowCount === 0) throw this.end();
  }

  /** Lets others have it. Idempotent; never rejects: what cannot be released ends by itself. */
  async release(): Promise<void> {
    clearInterval(this.keeper);
    await this.session.query(RELEASE, [this.name, this.token]).catch(() => undefined);
  }

  private end(): LeaseEndedError {
    clearInterval(this.keeper);
    const error = new LeaseEndedError(this.name);
    this.controller.abort(error);
    return error;
  }
}
