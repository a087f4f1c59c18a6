import { hash } from 'node:crypto';

const LANES = 8;
const BYTES_PER_LANE = 4;
const NEWLINE = 0x0a;

/**
 * Counts the rows of a COPY in text format, and gives a digest of them that does not depend on their order: the sum, lane by lane, of the SHA-256 of each
 * row. Two tables of equal rows have equal digests however their pages lie; it tells damage, not forgery.
 *
 * In that format a line feed ends a row and occurs nowhere else.
 */
export class RowDigest {
  private readonly lanes = new Uint32Array(LANES);
  private rest: Buffer[] = [];
  private count = 0;

  get rows(): number {
    return this.count;
  }

  update(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.add(chunk.subarray(start, end));
      start = end + 1;
    }
    // A copy, because who reads a socket may use the memory again.
    if (start < chunk.length) this.rest.push(Buffer.from(chunk.subarray(start)));
  }

  /** 64 hex digits. @throws Error when the last row has no end */
  digest(): string {
    if (this.rest.length > 0) throw new Error('The last row is cut off');
    const bytes = Buffer.alloc(LANES * BYTES_PER_LANE);
    this.lanes.forEach((lane, place) => bytes.writeUInt32BE(lane, place * BYTES_PER_LANE));
    return bytes.toString('hex');
  }

  private add(end: Buffer): void {
    const row = this.rest.length === 0 ? end : Buffer.concat([...this.rest, end]);
    this.rest = [];
    const hashed = hash('sha256', row, 'buffer');
    // Uint32Array keeps the sum modulo 2^32.
    for (let lane = 0; lane < LANES; lane++) this.lanes[lane]! += hashed.readUInt32BE(lane * BYTES_PER_LANE);
    this.count++;
  }
}
