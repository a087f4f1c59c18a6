import { SecurityConfig } from '#config';
import { Clock, DomainError, RepeatedMessages } from '#kernel';
import { Injectable, Logger } from '@nestjs/common';
import { timingSafeEqual } from 'node:crypto';
import { keyIdOf } from './api-key.js';
import { ANONYMOUS, type Caller } from './caller.js';
import { FailedAttempts } from './failed-attempts.js';
import { KeyDirectory, type KnownKey } from './key-directory.js';
import { Pepper } from './pepper.js';
import { grantedBy, SCOPES } from './scope.js';

/** What of a request decides who it is from. */
export interface Credentials {
  /** The key as it was sent; `null` = none. */
  readonly key: string | null;
  /** Of the client: that of the peer, or what a trusted proxy says. */
  readonly address: string;
}

/** Finds out who calls. Knows no route and no HTTP. */
@Injectable()
export class AccessControl {
  private readonly logger = new Logger(AccessControl.name);
  private readonly messages: RepeatedMessages;
  private readonly bootstrap: { readonly digest: Buffer; readonly caller: Caller } | null;

  constructor(
    private readonly config: SecurityConfig,
    private readonly directory: KeyDirectory,
    private readonly pepper: Pepper,
    private readonly failures: FailedAttempts,
    private readonly clock: Clock,
  ) {
    this.messages = new RepeatedMessages(clock);
    this.bootstrap =
      config.bootstrapKey === null
        ? null
        : {
            digest: pepper.digest(config.bootstrapKey),
            caller: Object.freeze({
              keyId: 'bootstrap',
              keyName: 'KINDRED_BOOTSTRAP_KEY',
              scopes: grantedBy(SCOPES),
              collections: null,
              rateLimitPerMinute: config.rateLimitPerMinute,
            }),
          };
  }

  /**
   * Who sent the request. A key that was sent must be good, also where none is asked for.
   *
   * @throws DomainError `access.key-missing`, `access.key-refused`, `access.too-many-failures`, `database.unavailable`
   */
  async identify({ key, address }: Credentials): Promise<Caller> {
    if (key === null) {
      if (this.config.access === 'required') throw new DomainError('access.key-missing', { detail: HOW_TO_SEND, headers: CHALLENGE });
      return ANONYMOUS;
    }
    const digest = this.pepper.digest(key);
    if (this.bootstrap !== null && timingSafeEqual(digest, this.bootstrap.digest)) return this.bootstrap.caller;
    const keyId = keyIdOf(key);
    const known = keyId === null ? null : await this.lookUp(keyId, address);
    // Also for a key that does not exist: the time must not tell which ids do.
    const isRight = timingSafeEqual(digest, known?.digest ?? NOBODY);
    if (known === null || !isRight) return this.refuse(address, known);
    const now = this.clock.now();
    const isOver = known.revokedAt !== null || (known.expiresAt !== null && known.expiresAt <= now);
    const isElsewhere = known.addresses !== null && !known.addresses.has(address);
    if (isOver || isElsewhere) return this.refuse(address, known);
    this.directory.noteUse(known.keyId);
    return { ...known.grants, rateLimitPerMinute: known.rateLimitPerMinute ?? this.config.rateLimitPerMinute };
  }

  /** Who has failed too often is let in with a key that is known to exist, and not looked up otherwise. */
  private async lookUp(keyId: string, address: string): Promise<KnownKey | null> {
    const known = this.directory.peek(keyId);
    if (known !== undefined) return known;
    if (this.failures.areTooMany(address) && !this.directory.isFamiliar(keyId)) throw this.tooMany(address);
    return this.directory.find(keyId);
  }

  private refuse(address: string, known: KnownKey | null): never {
    if (known !== null && known.pepperId !== this.pepper.id) {
      const msg = this.messages.pass(
        'pepper',
        'A key was refused that was made with another API_KEY_PEPPER; every process needs the same one',
      );
      if (msg !== null) this.logger.warn({ msg, key_id: known.keyId });
    }
    if (this.failures.areTooMany(address)) throw this.tooMany(address);
    this.failures.note(address);
    throw new DomainError('access.key-refused', { headers: CHALLENGE });
  }

  private tooMany(address: string): DomainError {
    const msg = this.messages.pass('failures', 'Too many wrong keys of one address');
    if (msg !== null) this.logger.warn({ msg, address });
    return new DomainError('access.too-many-failures', { headers: { 'Retry-After': String(this.failures.retryAfterSeconds(address)) } });
  }
}

const HOW_TO_SEND = 'Send a key as "Authorization: Bearer <key>" or as "X-API-Key: <key>"';
const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="kindred"' };
const NOBODY = Buffer.alloc(32);
