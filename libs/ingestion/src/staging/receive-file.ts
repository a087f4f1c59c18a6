import { DomainError } from '#kernel';
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { PIECE_BYTES, type StagedFiles } from './staged-files.js';

/** Much less than the time after which an upload of which nothing has come is removed: a slow sender may need longer than that for a piece. */
const TOUCH_EVERY_MS = 60_000;

export interface ReceivedFile {
  readonly totalBytes: number;
  readonly sha256: Buffer;
}

/**
 * Stores a file as it arrives; never more than a piece of it is in memory, and the sender waits while a piece is stored.
 *
 * @throws DomainError `request.body-too-large`, `request.invalid` when it is empty, `jobs.over` when the job was cancelled meanwhile; what the stream throws
 */
export async function receiveFile(
  files: Pick<StagedFiles, 'write' | 'touch'>,
  jobId: string,
  body: Readable,
  maxBytes: number,
  monotonicMs: () => number = () => performance.now(),
): Promise<ReceivedFile> {
  const hash = createHash('sha256');
  let totalBytes = 0;
  let ordinal = 0;
  let parts: Buffer[] = [];
  let held = 0;
  let seenAtMs = monotonicMs();
  const store = async (bytes: Buffer): Promise<void> => {
    if (!(await files.write(jobId, ordinal++, bytes)))
      throw new DomainError('jobs.over', { detail: 'The import was cancelled while it was uploaded' });
  };
  // Giving up must leave the connection alone: destroying it would take the answer along that says why.
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    totalBytes += chunk.length;
    if (totalBytes > maxBytes) throw tooLarge(maxBytes);
    hash.update(chunk);
    parts.push(chunk);
    held += chunk.length;
    while (held >= PIECE_BYTES) {
      const together = Buffer.concat(parts);
      await store(together.subarray(0, PIECE_BYTES));
      parts = [together.subarray(PIECE_BYTES)];
      held -= PIECE_BYTES;
      seenAtMs = monotonicMs();
    }
    if (monotonicMs() - seenAtMs >= TOUCH_EVERY_MS) {
      await files.touch(jobId);
      seenAtMs = monotonicMs();
    }
  }
  if (totalBytes === 0) throw emptyFile();
  if (held > 0) await store(Buffer.concat(parts));
  return { totalBytes, sha256: hash.digest() };
}

export function tooLarge(maxBytes: number): DomainError {
  return new DomainError('request.body-too-large', { detail: `The file is larger than ${maxBytes} bytes (IMPORT_MAX_BYTES)` });
}

function emptyFile(): DomainError {
  const detail = 'must not be empty';
  return new DomainError('request.invalid', { detail: `The file ${detail}`, fields: [{ pointer: '', code: 'empty', detail }] });
}
