import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { ModelFolderError } from './model-folder.errors.js';

/** Lists the SHA-256 of every file of a model, in the format of sha256sum. */
export const SUMS_FILE = 'SHA256SUMS';

/** Large reads make few turns of the event loop, and 1 MiB is hashed in under a millisecond. */
const HASH_CHUNK_BYTES = 1 << 20;

/**
 * Reads the content of a {@link SUMS_FILE}: digests in hex by file name.
 *
 * @param path for the message
 * @throws ModelFolderError
 */
export function parseSums(text: string, path: string): Map<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    // The format of sha256sum: digest, space, space or asterisk, name.
    const match = /^([0-9a-f]{64}) [ *](.+?)\r?$/.exec(line);
    if (match === null) throw new ModelFolderError(path, `has a line that is not in the format of sha256sum: ${JSON.stringify(line)}`);
    sums.set(match[2]!, match[1]!);
  }
  return sums;
}

/** The content of a {@link SUMS_FILE}. */
export function renderSums(sums: ReadonlyMap<string, string>): string {
  return [...sums].map(([file, sum]) => `${sum}  ${file}\n`).join('');
}

/**
 * Reads a file and returns its SHA-256 in hex.
 *
 * @throws ModelFolderError when it cannot be read
 */
export async function sumOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path, { highWaterMark: HASH_CHUNK_BYTES }), hash);
  } catch (error) {
    throw new ModelFolderError(path, 'cannot be read', error);
  }
  return hash.digest('hex');
}
