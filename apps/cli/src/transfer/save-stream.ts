import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ServiceError } from '../service/service-error.js';

/**
 * Writes a reply to a file, or to standard output where `path` is undefined. Beside the file first, and renamed at the end: a file that is there is whole.
 *
 * @throws ServiceError when it ends early, or the file cannot be written
 */
export async function saveStream(bytes: ReadableStream<Uint8Array>, path: string | undefined): Promise<void> {
  const source = Readable.fromWeb(bytes as Parameters<typeof Readable.fromWeb>[0]);
  try {
    if (path === undefined) {
      await pipeline(source, process.stdout, { end: false });
      return;
    }
    const part = `${path}.part`;
    try {
      await pipeline(source, createWriteStream(part));
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  } catch (error) {
    throw new ServiceError(`The export is not whole: ${error instanceof Error ? error.message : String(error)}`);
  }
}
