import { createHash, webcrypto } from 'node:crypto';

/** Parts below this are hashed at once: sending them away costs more. */
const MIN_BACKGROUND_BYTES = 64 * 1024;
/** Parts in flight are copies; this many keep the other threads busy. */
const MAX_IN_FLIGHT = 8;

/** The SHA-256 of the SHA-256 of every part; large parts are hashed by other threads while the caller reads on. */
export class PartChecksum {
  private readonly digests: (Buffer | Promise<Buffer>)[] = [];
  private settled = 0;

  /** Takes the next part. Its bytes must stay as they are until {@link digest} has resolved. */
  async add(part: Buffer): Promise<void> {
    if (part.length < MIN_BACKGROUND_BYTES) {
      this.digests.push(createHash('sha256').update(part).digest());
      return;
    }
    this.digests.push(webcrypto.subtle.digest('SHA-256', part as Buffer<ArrayBuffer>).then((digest) => Buffer.from(digest)));
    if (this.digests.length - this.settled > MAX_IN_FLIGHT) await this.digests[this.settled++];
  }

  async digest(): Promise<Buffer> {
    return createHash('sha256')
      .update(Buffer.concat(await Promise.all(this.digests)))
      .digest();
  }
}
