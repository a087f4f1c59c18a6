import { DomainError } from '#kernel';
import { FixedClock } from '#testing';
import type { ApiKeys, StoredKey } from './api-keys.js';
import { PLAIN_KEY } from '../test/stored-key.js';
import { KeyDirectory } from './key-directory.js';

const KEY_ID = '0123456789ab';
const KEY: StoredKey = {
  keyId: KEY_ID,
  ...PLAIN_KEY,
  digest: Buffer.alloc(32),
  pepperId: 'p',
};

/** Double of the table of keys: one row, which may change, and a database that may be away. */
class KeysDouble {
  row: StoredKey | null = KEY;
  isAway = false;
  reads = 0;
  uses = 0;

  async find(): Promise<StoredKey | null> {
    this.reads++;
    if (this.isAway) throw new DomainError('database.unavailable');
    return this.row;
  }

  async noteUse(): Promise<void> {
    this.uses++;
  }
}

describe('KeyDirectory', () => {
  let clock: FixedClock;
  let keys: KeysDouble;
  let directory: KeyDirectory;
  beforeEach(() => {
    clock = new FixedClock();
    keys = new KeysDouble();
    directory = new KeyDirectory(keys as unknown as ApiKeys, clock);
  });
  /** What runs in the background has run. */
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  it('reads a key once for all that ask at the same time, and not again while it is new', async () => {
    await Promise.all(Array.from({ length: 50 }, () => directory.find(KEY_ID)));
    clock.advance(1_500);
    await directory.find(KEY_ID);
    expect(keys.reads).toBe(1);
  });

  it('knows of a key that is revoked elsewhere within five seconds, whenever it is used', async () => {
    for (const everyMs of [50, 400, 1_400, 1_600, 3_000, 3_400, 3_600, 4_900]) {
      keys.row = KEY;
      directory.clear();
      await directory.find(KEY_ID);
      clock.advance(everyMs);
      keys.row = { ...KEY, revokedAt: new Date(0) };
      const revokedAtMs = clock.monotonicMs();
      for (;;) {
        const known = await directory.find(KEY_ID);
        await settled();
        if (known!.revokedAt !== null) break;
        expect(clock.monotonicMs() - revokedAtMs).toBeLessThan(5_000);
        clock.advance(everyMs);
      }
    }
  });

  it('lets nobody wait for the database while the key is in use', async () => {
    await directory.find(KEY_ID);
    for (let turn = 0; turn < 20; turn++) {
      clock.advance(1_600);
      expect(directory.peek(KEY_ID)).not.toBeUndefined();
      await settled();
    }
    expect(keys.reads).toBe(21);
  });

  it('uses what it knows for seconds while the database is away, and nothing after that', async () => {
    await directory.find(KEY_ID);
    keys.isAway = true;
    clock.advance(3_400);
    expect((await directory.find(KEY_ID))!.keyId).toBe(KEY_ID);
    await settled();
    clock.advance(200);
    await expect(directory.find(KEY_ID)).rejects.toMatchObject({ code: 'database.unavailable' });
  });

  it('remembers that a key does not exist', async () => {
    keys.row = null;
    expect(await directory.find(KEY_ID)).toBeNull();
    expect(await directory.find(KEY_ID)).toBeNull();
    expect(keys.reads).toBe(1);
  });

  it('notes that a key is used once a minute', async () => {
    await directory.find(KEY_ID);
    for (let second = 0; second < 121; second++) {
      directory.noteUse(KEY_ID);
      clock.advance(1_000);
      await directory.find(KEY_ID);
    }
    expect(keys.uses).toBe(3);
  });
});
