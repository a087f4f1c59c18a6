import { loadConfig } from '#config';
import { FixedClock } from '#testing';
import { Logger } from '@nestjs/common';
import crypto from 'node:crypto';
import { AccessControl } from './access-control.js';
import { issueKey, type IssuedKey } from './api-key.js';
import type { ApiKeys, StoredKey } from './api-keys.js';
import { FailedAttempts } from './failed-attempts.js';
import { KeyDirectory } from './key-directory.js';
import { Pepper } from './pepper.js';
import { withSecret } from '../test/forged-key.js';
import { PLAIN_KEY } from '../test/stored-key.js';

const PEPPER = new Pepper('pepper-0123456789abcdef0123456789');
const BOOTSTRAP = 'bootstrap-0123456789abcdef0123456789abcdef';
const DIGEST_BYTES = 32;
const OTHERS = '0123456789abcdefgzA_- é\0';

/** Double of the table of keys; counts who is looked for. */
class KeysDouble {
  readonly rows = new Map<string, StoredKey>();
  readonly finds: string[] = [];

  async find(keyId: string): Promise<StoredKey | null> {
    this.finds.push(keyId);
    return this.rows.get(keyId) ?? null;
  }

  async noteUse(): Promise<void> {}

  /** Puts a new key into the table. */
  issue(fields: Partial<StoredKey> = {}): IssuedKey {
    const key = issueKey();
    this.rows.set(key.keyId, {
      keyId: key.keyId,
      ...PLAIN_KEY,
      digest: PEPPER.digest(key.text),
      pepperId: PEPPER.id,
      ...fields,
    });
    return key;
  }
}

describe('AccessControl', () => {
  let clock: FixedClock;
  let keys: KeysDouble;
  let access: AccessControl;
  let lastAddress: number;
  beforeEach(() => {
    clock = new FixedClock();
    keys = new KeysDouble();
    lastAddress = 0;
    const config = loadConfig({ AUTH: 'required', KINDRED_BOOTSTRAP_KEY: BOOTSTRAP }).security;
    access = new AccessControl(config, new KeyDirectory(keys as unknown as ApiKeys, clock), PEPPER, new FailedAttempts(clock), clock);
  });

  /** From another address each time: failures of one do not count against the next. */
  const codeOf = (key: string | null): Promise<string | null> =>
    access.identify({ key, address: `10.0.${lastAddress >> 8}.${lastAddress++ & 255}` }).then(
      ({ keyId }) => keyId,
      ({ code }: { code: string }) => code,
    );

  it('knows its keys, and who sends none', async () => {
    const { keyId, text } = keys.issue();
    expect([await codeOf(text), await codeOf(BOOTSTRAP), await codeOf(null)]).toEqual([keyId, 'bootstrap', 'access.key-missing']);
  });

  it('lets in none of 500 texts that are only built like a key, and looks in the database for none', async () => {
    const { text } = keys.issue();
    const malformed = Array.from({ length: 500 }, (_, n) => {
      const at = n % text.length;
      const other = OTHERS[(n * 7 + Math.floor(n / text.length)) % OTHERS.length]!;
      return text[at] === other ? text.slice(0, at) : `${text.slice(0, at)}${other}${text.slice(at + 1)}`;
    });
    expect(new Set(malformed).size).toBeGreaterThan(480);
    for (const key of malformed) expect([key, await codeOf(key)]).toEqual([key, 'access.key-refused']);
    expect(keys.finds).toEqual([]);
  });

  it('lets in none of 100 keys that have expired, and none of 100 that are revoked', async () => {
    for (let n = 0; n < 100; n++) {
      const now = clock.now().getTime();
      const expired = keys.issue({ expiresAt: new Date(now - n * 1_000) });
      const revoked = keys.issue({ revokedAt: new Date(now - n * 1_000), expiresAt: n % 2 === 0 ? null : new Date(now + 60_000) });
      const good = keys.issue({ expiresAt: new Date(now + 1 + n) });
      expect([await codeOf(expired.text), await codeOf(revoked.text), await codeOf(good.text)]).toEqual([
        'access.key-refused',
        'access.key-refused',
        good.keyId,
      ]);
    }
  });

  it('compares digests of equal length in constant time, also for a key that does not exist', async () => {
    const known = keys.issue();
    const unknown = issueKey();
    const compared: [number, number][] = [];
    const compare = jest.spyOn(crypto, 'timingSafeEqual').mockImplementation((a, b) => {
      compared.push([a.byteLength, b.byteLength]);
      return Buffer.from(a as Buffer).equals(Buffer.from(b as Buffer));
    });
    for (const key of [
      unknown.text,
      'no key at all',
      withSecret(known.text, (secret) => `${secret[0] === '0' ? '1' : '0'}${secret.slice(1)}`),
    ])
      expect(await codeOf(key)).toBe('access.key-refused');
    expect(await codeOf(known.text)).toBe(known.keyId);
    compare.mockRestore();
    // Each is compared with the key of the configuration as well.
    expect(compared).toEqual(Array.from({ length: 4 * 2 }, () => [DIGEST_BYTES, DIGEST_BYTES]));
  });

  it('refuses a key of another pepper', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
    const { keyId, text } = keys.issue();
    keys.rows.set(keyId, { ...keys.rows.get(keyId)!, digest: new Pepper('another-0123456789abcdef').digest(text), pepperId: 'another' });
    expect([await codeOf(text), await codeOf(text)]).toEqual(['access.key-refused', 'access.key-refused']);
    expect(warn.mock.calls.map(([entry]) => (entry as { key_id: string }).key_id)).toEqual([keyId]);
    warn.mockRestore();
  });
});
