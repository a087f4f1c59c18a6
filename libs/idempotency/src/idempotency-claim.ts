import type { SqlSession, UnitOfWork, WithinWrite } from '#database';
import { DomainError } from '#kernel';
import { REFUSED, type IdempotentReply, type KeyScope, type Refusal } from './idempotent-reply.js';

/** A process that dies keeps a key for at most so long; one that lives renews its claim long before. */
export const CLAIM_SECONDS = 30;

const MINE = 'caller = $1 AND route = $2 AND key = $3 AND token = $4::uuid';
/* Together with the row, or not at all. */
const KEEP = `
UPDATE idempotency_keys SET status = $5::smallint, headers = $6::jsonb, body = $7::text, file_digest = $8::bytea WHERE ${MINE} AND status IS NULL`;
const REPLACE = `UPDATE idempotency_keys SET status = $5::smallint, headers = $6::jsonb, body = $7::text WHERE ${MINE}`;
const RENEW = `UPDATE idempotency_keys SET claimed_until = clock_timestamp() + $5::integer * interval '1 second' WHERE ${MINE} AND status IS NULL`;
const RELEASE = `DELETE FROM idempotency_keys WHERE ${MINE} AND status IS NULL`;

/** The right of one request to write under a key. Whoever finds it abandoned takes it over, and then this one can write nothing any more. */
export class IdempotencyClaim {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly scope: KeyScope,
    private readonly token: string,
  ) {}

  /**
   * Stores the answer in the transaction of the write, so that both are committed or neither.
   *
   * @param replyOf makes the answer of what was written; it may be finished later, but a process that dies after the commit has said all it will
   * @param fileDigestOf of a write that was sent as a file
   * @returns what a service runs within its write; it throws `idempotency.in-progress`, and so undoes the write, when another request has taken the key over
   */
  keeping<T>(replyOf: (written: T) => IdempotentReply, fileDigestOf?: (written: T) => Buffer): WithinWrite<T> {
    return async (session, written) => this.keep(session, replyOf(written), fileDigestOf?.(written) ?? null);
  }

  /** Stores the answer that is sent; of a write that kept one, with what was learned since. */
  async finish(reply: IdempotentReply): Promise<void> {
    await this.unitOfWork.query(REPLACE, [...this.mine(), ...columnsOf(reply)]);
  }

  /** Stores that it was refused, unless a write has been committed. */
  async refuse({ code, detail, fields }: Refusal): Promise<void> {
    await this.unitOfWork.query(`${REPLACE} AND status IS NULL`, [
      ...this.mine(),
      ...columnsOf({ status: REFUSED, headers: {}, body: { code, detail, fields } }),
    ]);
  }

  /** Keeps the key while the work goes on. */
  async renew(): Promise<void> {
    await this.unitOfWork.query(RENEW, [...this.mine(), CLAIM_SECONDS]);
  }

  /** Gives the key back unless an answer is stored: the same request then starts anew. */
  async release(): Promise<void> {
    await this.unitOfWork.query(RELEASE, this.mine());
  }

  private async keep(session: SqlSession, reply: IdempotentReply, fileDigest: Buffer | null): Promise<void> {
    const { rowCount } = await session.query(KEEP, [...this.mine(), ...columnsOf(reply), fileDigest]);
    if (rowCount === 0) throw new DomainError('idempotency.in-progress', { detail: 'Another request has taken the key over' });
  }

  private mine(): unknown[] {
    return [this.scope.caller, this.scope.route, this.scope.key, this.token];
  }
}

function columnsOf({ status, headers, body }: IdempotentReply): unknown[] {
  return [status, JSON.stringify(headers), body === undefined ? null : JSON.stringify(body)];
}
