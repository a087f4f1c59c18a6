import { createHash, type Hash } from 'node:crypto';
import { readSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { CollectionSpec } from '../vector-store.js';
import { LocalCollection } from './local-collection.js';
import type { PointTable } from './point-table.js';
import {
  BLOCK_HEAD_BYTES,
  BLOCK_MARK,
  decodeColumn,
  DIGEST_BYTES,
  END_BYTES,
  END_MARK,
  FORMAT_VERSION,
  ID_BYTES,
  MAGIC,
  PRELUDE_BYTES,
  type EncodedColumn,
} from './snapshot-format.js';
import type { VectorSegments } from './vector-segments.js';

const MAX_HEADER_BYTES = 1024 * 1024;
const MAX_BLOCK_ROWS = 65_536;

/** The file is not a whole snapshot of this format; its message says why. */
export class DamagedSnapshotError extends Error {
  constructor(reason: string, cause?: unknown) {
    super(reason, { cause });
    this.name = 'DamagedSnapshotError';
  }
}

/**
 * Reads a snapshot; what it returns had every byte checked against the checksum.
 *
 * Being whole does not make it current: every point must be compared with the ledger.
 *
 * @throws DamagedSnapshotError for whatever is wrong with the content
 * @throws Error of the file system when the file cannot be read
 */
export async function readSnapshot(path: string, name: string, exactLimit: number): Promise<LocalCollection> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    return await new SnapshotReader(file, size).read(name, exactLimit);
  } finally {
    await file.close();
  }
}

/** A block whose description is read and whose vectors are being read into place. */
interface OpenBlock {
  readonly head: Buffer;
  readonly described: Buffer;
  readonly rows: number;
  /** Resolves with the bytes of the vectors. */
  readonly vectors: Promise<Buffer>;
}

class SnapshotReader {
  private readonly hash: Hash = createHash('sha256');
  private position = 0;
  /** Where the checksum begins: no length in the file may reach beyond it, so damage cannot exhaust the memory. */
  private readonly end: number;

  constructor(
    private readonly file: FileHandle,
    size: number,
  ) {
    this.end = size - DIGEST_BYTES;
  }

  async read(name: string, exactLimit: number): Promise<LocalCollection> {
    const spec = this.readHeader();
    if (spec.name !== name) throw new DamagedSnapshotError('it belongs to another collection');
    const collection = new LocalCollection(spec.name, spec.dimensions, exactLimit);
    collection.complete(spec);
    collection.setMetadata(spec.metadata);
    await this.readBlocks(collection.table);
    this.checkEnd(collection.table.length);
    removeOlderCopies(collection);
    return collection;
  }

  private readHeader(): CollectionSpec {
    const prelude = this.takeHashed(PRELUDE_BYTES);
    if (prelude.toString('latin1', 0, MAGIC.length) !== MAGIC) throw new DamagedSnapshotError('it is no snapshot');
    const version = prelude.readUInt32LE(MAGIC.length);
    if (version !== FORMAT_VERSION) throw new DamagedSnapshotError(`it has format ${version}, not ${FORMAT_VERSION}`);
    const length = prelude.readUInt32LE(MAGIC.length + 4);
    if (length > MAX_HEADER_BYTES) throw new DamagedSnapshotError('its header is too long');
    const spec = parse<Partial<CollectionSpec>>(this.takeHashed(length));
    const { name, dimensions, payloadIndexes, metadata } = spec;
    const isWhole = typeof name === 'string' && Number.isSafeInteger(dimensions) && dimensions! > 0 && Array.isArray(payloadIndexes);
    if (!isWhole || typeof metadata !== 'object') throw new DamagedSnapshotError('its header is not whole');
    return { name, dimensions: dimensions!, payloadIndexes, metadata };
  }

  /** While one block is parsed and hashed here, the vectors of it or of the next are read by another thread. */
  private async readBlocks(table: PointTable): Promise<void> {
    const bytesPerRow = ID_BYTES + table.dimensions * Float32Array.BYTES_PER_ELEMENT;
    table.vectors.reserveFirst(Math.floor((this.end - this.position) / bytesPerRow));
    let block = this.openBlock(table);
    while (block !== null) {
      appendRows(table, block);
      const vectors = await block.vectors;
      const next = this.openBlock(table);
      for (const bytes of [block.head, block.described, vectors]) this.hash.update(bytes);
      block = next;
    }
  }

  /** Returns `null` when only the end mark is left. */
  private openBlock(table: PointTable): OpenBlock | null {
    if (this.end - this.position <= END_BYTES) return null;
    const head = this.take(BLOCK_HEAD_BYTES);
    const rows = head.readUInt32LE(4);
    if (head.readUInt32LE(0) !== BLOCK_MARK || rows > MAX_BLOCK_ROWS) throw new DamagedSnapshotError('a block is not whole');
    const described = this.take(rows * ID_BYTES + head.readUInt32LE(8));
    const vectorBytes = rows * table.dimensions * Float32Array.BYTES_PER_ELEMENT;
    if (vectorBytes > this.end - this.position) throw new DamagedSnapshotError('a block is cut off');
    const vectors = this.readVectors(table.vectors, table.length, rows, this.position);
    this.position += vectorBytes;
    // Damage may be found before anyone waits for this read; its own failure is then of no interest.
    vectors.catch(() => undefined);
    return { head, described, rows, vectors };
  }

  private async readVectors(vectors: VectorSegments, first: number, rows: number, position: number): Promise<Buffer> {
    vectors.resize(first + rows);
    // Straight into place: the vectors are most of the file and are not copied again.
    const inPlace = vectors.contiguous(first, rows);
    const block = inPlace ?? new Float32Array(rows * vectors.dimensions);
    const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await this.file.read(bytes, done, bytes.length - done, position + done);
      if (bytesRead === 0) throw new DamagedSnapshotError('it is cut off');
      done += bytesRead;
    }
    if (inPlace === null)
      for (let i = 0; i < rows; i++) vectors.set(first + i, block.subarray(i * vectors.dimensions, (i + 1) * vectors.dimensions));
    return bytes;
  }

  private checkEnd(rows: number): void {
    const end = this.takeHashed(END_BYTES);
    if (end.readUInt32LE(0) !== END_MARK || end.readDoubleLE(8) !== rows) throw new DamagedSnapshotError('its end is missing');
    const digest = Buffer.alloc(DIGEST_BYTES);
    this.readNow(digest);
    if (!digest.equals(this.hash.digest())) throw new DamagedSnapshotError('its checksum does not match');
  }

  private takeHashed(length: number): Buffer {
    const bytes = this.take(length);
    this.hash.update(bytes);
    return bytes;
  }

  private take(length: number): Buffer {
    if (length > this.end - this.position) throw new DamagedSnapshotError('it is cut off');
    const bytes = Buffer.allocUnsafe(length);
    this.readNow(bytes);
    return bytes;
  }

  /** Small parts are read at once: waiting for another thread would take longer. */
  private readNow(bytes: Buffer): void {
    for (let done = 0; done < bytes.length;) {
      const read = readSync(this.file.fd, bytes, done, bytes.length - done, this.position);
      if (read === 0) throw new DamagedSnapshotError('it is cut off');
      done += read;
      this.position += read;
    }
  }
}

function appendRows(table: PointTable, { described, rows }: OpenBlock): void {
  const first = table.length;
  const columns = parse<Record<string, EncodedColumn>>(described.subarray(rows * ID_BYTES));
  // Slices of one string: the ids of a block share its memory.
  const ids = described.toString('latin1', 0, rows * ID_BYTES);
  table.appendIds(Array.from({ length: rows }, (_, i) => ids.slice(i * ID_BYTES, (i + 1) * ID_BYTES)));
  try {
    for (const [field, column] of Object.entries(columns)) {
      table.payloads.setCells(
        field,
        first,
        decodeColumn(column, rows, (value) => table.payloads.share(field, value)),
      );
    }
  } catch (error) {
    throw new DamagedSnapshotError('a column is not whole', error);
  }
}

/** A point that moved while the file was written is in it twice: the higher rev stays. */
function removeOlderCopies({ table }: LocalCollection): void {
  if (table.idCount === table.length) return;
  const newest = new Map<string, number>();
  const losers: number[] = [];
  for (let row = 0; row < table.length; row++) {
    const id = table.idAt(row);
    const other = newest.get(id);
    const isNewer = other === undefined || (table.revAt(row) ?? 0) > (table.revAt(other) ?? 0);
    if (isNewer) newest.set(id, row);
    const loser = isNewer ? other : row;
    if (loser !== undefined) losers.push(loser);
  }
  // From the last to the first: a removal then moves only rows that stay.
  for (const row of losers.sort((a, b) => b - a)) table.removeRow(row);
  for (let row = 0; row < table.length; row++) table.claimId(row);
}

function parse<Value>(bytes: Buffer): Value {
  try {
    return JSON.parse(bytes.toString('utf8')) as Value;
  } catch (error) {
    throw new DamagedSnapshotError('a part of it cannot be parsed', error);
  }
}
