import { Readable } from 'node:stream';
import { receiveFile } from './receive-file.js';
import { PIECE_BYTES } from './staged-files.js';

describe('receiveFile', () => {
  /** Chunks that come a quarter of a minute after each other. */
  async function received(chunks: readonly Buffer[]) {
    const did: (number | 'touched')[] = [];
    const files = {
      write: async (_jobId: string, _ordinal: number, bytes: Buffer) => (did.push(bytes.length), true),
      touch: async () => void did.push('touched'),
    };
    let nowMs = 0;
    async function* arriving() {
      for (const chunk of chunks) {
        nowMs += 15_000;
        yield chunk;
      }
    }
    const file = await receiveFile(
      files,
      'job',
      Readable.from(arriving(), { objectMode: true, highWaterMark: 0 }),
      10_000_000,
      () => nowMs,
    );
    return { file, did };
  }

  it('stores pieces of one size, and the rest', async () => {
    const { file, did } = await received([Buffer.alloc(PIECE_BYTES * 2 + 1), Buffer.alloc(9)]);
    expect([file.totalBytes, did]).toEqual([PIECE_BYTES * 2 + 10, [PIECE_BYTES, PIECE_BYTES, 10]]);
  });

  it('says once a minute that a slow upload still lives, though no piece is whole', async () => {
    const { did } = await received(Array.from({ length: 9 }, () => Buffer.alloc(10)));
    expect(did).toEqual(['touched', 'touched', 90]);
  });
});
