import { UnitOfWork } from '#database';
import { DomainError, IdGenerator } from '#kernel';
import { Injectable } from '@nestjs/common';
import { CLAIM_SECONDS, IdempotencyClaim } from './idempotency-claim.js';
import { REFUSED, type KeyScope, type Refusal, type StoredReply } from './idempotent-reply.js';

/** How long an answer is kept. Published in docs/api.md and in the OpenAPI document. */
export const KEPT_HOURS = 24;
const PURGE_BATCH = 1_000;

/* New; or its time is over; or whoever claimed it has died before anything was written. */
const CLAIM = `
INSERT INTO idempotency_keys AS k (caller, route, key, fingerprint, token, claimed_until, expires_at)
VALUES ($1, $2, $3, $4::bytea, $5::uuid, clock_timestamp() + $6::integer * interval '1 second', clock_timestamp() + $7::integer * interval '1 hour')
ON CONFLICT (caller, route, key) DO UPDATE SET fingerprint = EXCLUDED.fingerprint, file_digest = NULL, token = EXCLUDED.token,
  claimed_until = EXCLUDED.claimed_until, status = NULL, headers = '{}', body = NULL, expires_at = EXCLUDED.expires_at
WHERE k.expires_at <= clock_timestamp() OR (k.status IS NULL AND k.claimed_until <= clock_timestamp())
RETURNING 1`;

const FIND = `
SELECT fingerprint, file_digest, status, headers, body FROM idempotency_keys WHERE caller = $1 AND route = $2 AND key = $3`;

const PURGE = `
DELETE FROM idempotency_keys WHERE (caller, route, key) IN (
  SELECT caller, route, key FROM idempotency_keys WHERE expires_at <= clock_timestamp() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)`;

interface KeyRecord {
  readonly fingerprint: Buffer;
  readonly file_digest: Buffer | null;
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** Either the right to write, or what was answered before. */
export type ClaimOutcome =
  { readonly claim: IdempotencyClaim; readonly stored?: undefined } | { readonly claim?: undefined; readonly stored: StoredReply };

/** Keys that make a request safe to send again: the write happens once, and every repetition gets its answer. */
@Injectable()
export class IdempotencyKeys {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly ids: IdGenerator,
  ) {}

  /**
   * Takes the key, or gives what was answered under it.
   *
   * @param fingerprint SHA-256 of what is asked
   * @throws DomainError `idempotency.other-payload` when something else was asked under the key, `idempotency.in-progress` while it is being worked on
   */
  async claim(scope: KeyScope, fingerprint: Buffer): Promise<ClaimOutcome> {
    const token = this.ids.uuid();
    for (;;) {
      const { caller, route, key } = scope;
      const { rowCount } = await this.unitOfWork.query(CLAIM, [caller, route, key, fingerprint, token, CLAIM_SECONDS, KEPT_HOURS]);
      if (rowCount > 0) return { claim: new IdempotencyClaim(this.unitOfWork, scope, token) };
      const { rows } = await this.unitOfWork.query<KeyRecord>(FIND, [caller, route, key]);
      // Given back in between.
      if (rows[0] === undefined) continue;
      return { stored: storedReplyOf(rows[0], fingerprint) };
    }
  }

  /** Removes what is older than its time; returns how many. */
  async purge(): Promise<number> {
    let removed = 0;
    for (;;) {
      const { rowCount } = await this.unitOfWork.query(PURGE, [PURGE_BATCH]);
      removed += rowCount;
      if (rowCount < PURGE_BATCH) return removed;
    }
  }
}

function storedReplyOf({ fingerprint, file_digest, status, headers, body }: KeyRecord, asked: Buffer): StoredReply {
  if (!fingerprint.equals(asked)) throw new DomainError('idempotency.other-payload');
  if (status === null) throw new DomainError('idempotency.in-progress', { headers: { 'Retry-After': '1' } });
  const told: unknown = body === null ? undefined : JSON.parse(body);
  return { status, headers, body: told, refusal: status === REFUSED ? (told as Refusal) : null, fileDigest: file_digest };
}
