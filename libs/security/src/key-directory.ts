import { AddressRanges, Clock, RepeatedMessages, SharedFlights } from '#kernel';
import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ApiKeys, type StoredKey } from './api-keys.js';
import type { Caller } from './caller.js';
import { grantedBy } from './scope.js';

/** A key that has been read not longer ago is taken as it was; one that is older is read again while the request goes on. */
const FRESH_MS = 1_500;
/** Nothing older is used. With the time that a read may take this keeps the promise of five seconds. */
const USABLE_MS = 3_500;
const KEYS_MAXIMUM = 10_000;
const LAST_USED_EVERY_MS = 60_000;

/** A stored key with what every request needs of it. */
export interface KnownKey extends StoredKey {
  /** `null` = from anywhere. */
  readonly addresses: AddressRanges | null;
  readonly grants: Pick<Caller, 'keyId' | 'keyName' | 'scopes' | 'collections'>;
}

interface Entry {
  readonly key: KnownKey | null;
  readonly readAtMs: number;
  notedAtMs: number;
}

/** Keys as they were in the database at most five seconds ago; a key in steady use costs no request a look there. */
@Injectable()
export class KeyDirectory {
  private readonly entries = new LRUCache<string, Entry>({ max: KEYS_MAXIMUM });
  private readonly flights = new SharedFlights<Entry>();
  private era = 0;
  private readonly logger = new Logger(KeyDirectory.name);
  private readonly messages: RepeatedMessages;

  constructor(
    private readonly keys: ApiKeys,
    private readonly clock: Clock,
  ) {
    this.messages = new RepeatedMessages(clock);
  }

  /** What is known of the key without asking the database; `undefined` = nothing that is new enough. */
  peek(keyId: string): KnownKey | null | undefined {
    const entry = this.entries.get(keyId);
    if (entry === undefined) return undefined;
    const ageMs = this.clock.monotonicMs() - entry.readAtMs;
    if (ageMs > USABLE_MS) return undefined;
    if (ageMs > FRESH_MS) this.inBackground(this.read(keyId));
    return entry.key;
  }

  /** Whether the key has been there before, however long ago: then it may be looked up whatever else its address sends. */
  isFamiliar(keyId: string): boolean {
    return (this.entries.get(keyId)?.key ?? null) !== null;
  }

  /** @returns `null` when there is no such key. @throws DomainError `database.unavailable`: who cannot be checked is not let in */
  async find(keyId: string): Promise<KnownKey | null> {
    const known = this.peek(keyId);
    return known === undefined ? (await this.read(keyId)).key : known;
  }

  /** The key was used: noted in the database, once a minute at most, without anybody waiting for it. */
  noteUse(keyId: string): void {
    const entry = this.entries.get(keyId);
    const nowMs = this.clock.monotonicMs();
    if (entry === undefined || nowMs - entry.notedAtMs < LAST_USED_EVERY_MS) return;
    entry.notedAtMs = nowMs;
    this.inBackground(this.keys.noteUse(keyId));
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.entries.size;
  }

  /** Forgets everything; the next request of each key reads it anew. */
  clear(): void {
    // What is being read at this moment may be older than the reason for this.
    this.era++;
    this.entries.clear();
  }

  private read(keyId: string): Promise<Entry> {
    return this.flights.run(`${this.era}:${keyId}`, async () => {
      // Before the read: what changes while it is under way may not count as known.
      const readAtMs = this.clock.monotonicMs();
      const { era } = this;
      const key = await this.keys.find(keyId);
      const notedAtMs = this.entries.get(keyId)?.notedAtMs ?? -Infinity;
      const entry: Entry = { key: key === null ? null : knownOf(key), readAtMs, notedAtMs };
      if (era === this.era) this.entries.set(keyId, entry);
      return entry;
    });
  }

  private inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      const msg = this.messages.pass('read', 'Keys cannot be read; requests are refused when what is known of their key is too old');
      if (msg !== null) this.logger.warn({ msg, reason });
    });
  }
}

function knownOf(key: StoredKey): KnownKey {
  return {
    ...key,
    addresses: key.allowedCidrs === null ? null : new AddressRanges(key.allowedCidrs),
    grants: {
      keyId: key.keyId,
      keyName: key.name,
      scopes: grantedBy(key.scopes),
      collections: key.collections === null ? null : new Set(key.collections),
    },
  };
}
