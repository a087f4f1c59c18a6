import { UnitOfWork, type SqlSession } from '#database';
import { DomainError } from '#kernel';
import { Injectable } from '@nestjs/common';
import { issueKey } from './api-key.js';
import { Pepper } from './pepper.js';
import type { Scope } from './scope.js';

/** What a new key is to be. */
export interface KeyRequest {
  /** For people; 1 to 100 characters. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt?: Date | null;
  /** Addresses and ranges it may be used from; none or `null` = any. */
  readonly allowedCidrs?: readonly string[] | null;
  readonly rateLimitPerMinute?: number | null;
  /** Ids of document collections; none or `null` = all, and projects. */
  readonly collections?: readonly string[] | null;
}

/** A key as it is stored, all but its digest. */
export interface ApiKey {
  readonly keyId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly collections: readonly string[] | null;
  readonly allowedCidrs: readonly string[] | null;
  readonly rateLimitPerMinute: number | null;
  readonly replaces: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly lastUsedAt: Date | null;
}

/** A key that has just been made, with the only copy of its text. */
export interface NewKey {
  readonly key: ApiKey;
  readonly text: string;
}

export interface StoredKey extends ApiKey {
  readonly digest: Buffer;
  readonly pepperId: string;
}

const COLUMNS =
  'key_id, name, scopes, collections, allowed_cidrs, rate_limit_per_minute, replaces, created_at, expires_at, revoked_at, last_used_at';
/** Longest time that an old key is good beside the one that replaces it. */
export const OVERLAP_MAXIMUM_SECONDS = 30 * 24 * 3_600;

/** Keys: made, listed, replaced, ended. What is stored cannot be turned back into a key. */
@Injectable()
export class ApiKeys {
  constructor(
    private readonly database: UnitOfWork,
    private readonly pepper: Pepper,
  ) {}

  /** Makes a key; its text is in the answer and nowhere else. */
  async create(request: KeyRequest): Promise<NewKey> {
    return this.insert(this.database, request, null);
  }

  /** Newest first; revoked and expired ones as well. */
  async list(): Promise<ApiKey[]> {
    const { rows } = await this.database.query<KeyRow>(`SELECT ${COLUMNS} FROM public.api_keys ORDER BY created_at DESC, key_id`);
    return rows.map(keyOf);
  }

  /**
   * Makes a key that may do what the old one may; the old one goes on for `overlapSeconds`, so that clients can change over.
   *
   * @throws DomainError `keys.not-found`, `keys.ended` when the old one is revoked or has expired, `keys.replaced` when it was rotated already
   */
  async rotate(keyId: string, overlapSeconds: number): Promise<NewKey> {
    return this.database.run(async (session) => {
      const { rows } = await session.query<KeyRow & { is_over: boolean }>(
        `SELECT ${COLUMNS}, coalesce(revoked_at, expires_at, 'infinity') <= now() AS is_over FROM public.api_keys WHERE key_id = $1 FOR UPDATE`,
        [keyId],
      );
      if (rows[0] === undefined) throw new DomainError('keys.not-found');
      if (rows[0].is_over) throw new DomainError('keys.ended');
      // Its expiry is the end of the overlap by now, which a second successor would inherit.
      const { rows: successors } = await session.query<{ key_id: string }>(
        `SELECT key_id FROM public.api_keys WHERE replaces = $1 AND coalesce(revoked_at, expires_at, 'infinity') > now()`,
        [keyId],
      );
      if (successors[0] !== undefined) {
        throw new DomainError('keys.replaced', {
          detail: `The key ${successors[0].key_id} replaces it already; rotate or revoke that one`,
        });
      }
      const old = keyOf(rows[0]);
      await session.query(
        `UPDATE public.api_keys SET expires_at = least(expires_at, now() + make_interval(secs => $2)) WHERE key_id = $1`,
        [keyId, overlapSeconds],
      );
      return this.insert(session, old, keyId);
    });
  }

  /** Ends a key, at every process within five seconds. Ending it again changes nothing. @throws DomainError `keys.not-found` */
  async revoke(keyId: string): Promise<void> {
    const { rowCount } = await this.database.query(
      `UPDATE public.api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE key_id = $1`,
      [keyId],
    );
    if (rowCount === 0) throw new DomainError('keys.not-found');
  }

  /** How many keys are neither revoked nor expired: those that are good, and those that were made with another pepper, which this process cannot check. */
  async count(): Promise<{ readonly good: number; readonly ofAnotherPepper: number }> {
    const { rows } = await this.database.query<{ good: number; other: number }>(
      `SELECT count(*) FILTER (WHERE pepper_id = $1)::int AS good, count(*) FILTER (WHERE pepper_id <> $1)::int AS other
       FROM public.api_keys WHERE coalesce(revoked_at, expires_at, 'infinity') > now()`,
      [this.pepper.id],
    );
    return { good: rows[0]!.good, ofAnotherPepper: rows[0]!.other };
  }

  /** The key with its digest, revoked and expired ones as well; `null` = there is none. */
  async find(keyId: string): Promise<StoredKey | null> {
    const { rows } = await this.database.query<KeyRow & { digest: Buffer; pepper_id: string }>(
      `SELECT ${COLUMNS}, digest, pepper_id FROM public.api_keys WHERE key_id = $1`,
      [keyId],
    );
    const row = rows[0];
    return row === undefined ? null : { ...keyOf(row), digest: row.digest, pepperId: row.pepper_id };
  }

  async noteUse(keyId: string): Promise<void> {
    await this.database.query(`UPDATE public.api_keys SET last_used_at = now() WHERE key_id = $1`, [keyId]);
  }

  private async insert(session: SqlSession, request: KeyRequest, replaces: string | null): Promise<NewKey> {
    const { keyId, text } = issueKey();
    const { rows } = await session.query<KeyRow>(
      `INSERT INTO public.api_keys (key_id, name, digest, pepper_id, scopes, collections, allowed_cidrs, rate_limit_per_minute, expires_at, replaces)
       VALUES ($1, $2, $3, $4, $5, $6::uuid[], $7, $8, $9, $10) RETURNING ${COLUMNS}`,
      [
        keyId,
        request.name,
        this.pepper.digest(text),
        this.pepper.id,
        request.scopes,
        someOrNull(request.collections),
        someOrNull(request.allowedCidrs),
        request.rateLimitPerMinute ?? null,
        request.expiresAt ?? null,
        replaces,
      ],
    );
    return { key: keyOf(rows[0]!), text };
  }
}

interface KeyRow {
  readonly key_id: string;
  readonly name: string;
  readonly scopes: Scope[];
  readonly collections: string[] | null;
  readonly allowed_cidrs: string[] | null;
  readonly rate_limit_per_minute: number | null;
  readonly replaces: string | null;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
  readonly last_used_at: Date | null;
}

function keyOf(row: KeyRow): ApiKey {
  return {
    keyId: row.key_id,
    name: row.name,
    scopes: row.scopes,
    collections: row.collections,
    allowedCidrs: row.allowed_cidrs,
    rateLimitPerMinute: row.rate_limit_per_minute,
    replaces: row.replaces,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  };
}

function someOrNull(list: readonly string[] | null | undefined): readonly string[] | null {
  return list === null || list === undefined || list.length === 0 ? null : list;
}
