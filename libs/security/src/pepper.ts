import { FatalStartupError } from '#kernel';
import { createHmac, randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE_NAME = 'api-key-pepper';
const ID_LENGTH = 8;
const LENGTH_MINIMUM = 22;

/** The secret that digests of keys are made with. It is not in the database, so a dump of that alone helps nobody to test a key. */
export class Pepper {
  /** Tells peppers apart without telling what they are. */
  readonly id: string;

  constructor(private readonly secret: string) {
    this.id = this.digest('kindred pepper id').toString('hex').slice(0, ID_LENGTH);
  }

  /** The configured one; else that of the data directory, which is made the first time. Processes that share a database need the same one. */
  static of(configured: string | null, dataDir: string): Pepper {
    return new Pepper(configured ?? keptIn(dataDir));
  }

  /** The one that {@link of} would give, but none is made; `null` = there is none yet. */
  static existing(configured: string | null, dataDir: string): Pepper | null {
    const secret = configured ?? existingIn(dataDir);
    return secret === null ? null : new Pepper(secret);
  }

  /**
   * HMAC-SHA-256 of a key, 32 bytes.
   *
   * Fast on purpose: the keys hold 256 random bits, so nothing is won by making a guess expensive, and every request pays for it.
   */
  digest(key: string): Buffer {
    return createHmac('sha256', this.secret).update(key).digest();
  }
}

function existingIn(dataDir: string): string | null {
  const path = join(dataDir, FILE_NAME);
  const known = read(path);
  if (known === null || known.length >= LENGTH_MINIMUM) return known;
  throw new FatalStartupError(
    `${path} is not whole. Put back the one that keys were made with, or remove it: then every key has to be made anew.`,
  );
}

function keptIn(dataDir: string): string {
  const known = existingIn(dataDir);
  if (known !== null) return known;
  const path = join(dataDir, FILE_NAME);
  mkdirSync(dataDir, { recursive: true });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  try {
    // Whole or not at all, and never over that of another process.
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return read(path)!;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
