import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { CollectionSpec } from '../vector-store.js';
import { LocalCollection } from './local-collection.js';
import { PartChecksum } from './part-checksum.js';
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
  const descriptor = openSync(path, 'r');
  try {
    return await new SnapshotReader(descriptor).read(name, exactLimit);
  } finally {
    closeSync(descriptor);
  }
}

class SnapshotReader {
  private readonly checksum = new PartChecksum();
  /** Bytes before the checksum that are not read yet: no length in the file may ask for more, so damage cannot exhaust the memory. */
  private remaining: number;

  constructor(private readonly descriptor: number) {
    this.remaining = fstatSync(descriptor).size - DIGEST_BYTES;
  }

  async read(name: string, exactLimit: number): Promise<LocalCollection> {
    const spec = await this.readHeader();
    if (spec.name !== name) throw new DamagedSnapshotError('it belongs to another collection');
    const collection = new LocalCollection(spec.name, spec.dimensions, exactLimit);
    collection.complete(spec);
    collection.setMetadata(spec.metadata);
    await this.readBlocks(collection);
    const digest = Buffer.alloc(DIGEST_BYTES);
    this.fill(digest);
    if (!digest.equals(await this.checksum.digest())) throw new DamagedSnapshotError('its checksum does not match');
    removeOlderCopies(collection);
    return collection;
  }

  private async readHeader(): Promise<CollectionSpec> {
    const prelude = await this.takePart(PRELUDE_BYTES);
    if (prelude.toString('latin1', 0, MAGIC.length) !== MAGIC) throw new DamagedSnapshotError('it is no snapshot');
    const version = prelude.readUInt32LE(MAGIC.length);
    if (version !== FORMAT_VERSION) throw new DamagedSnapshotError(`it has format ${version}, not ${FORMAT_VERSION}`);
    const length = prelude.readUInt32LE(MAGIC.length + 4);
    if (length > MAX_HEADER_BYTES) throw new DamagedSnapshotError('its header is too long');
    const spec = parse<Partial<CollectionSpec>>(await this.takePart(length));
    const { name, dimensions, payloadIndexes, metadata } = spec;
    const isWhole = typeof name === 'string' && Number.isSafeInteger(dimensions) && dimensions! > 0 && Array.isArray(payloadIndexes);
    if (!isWhole || typeof metadata !== 'object') throw new DamagedSnapshotError('its header is not whole');
    return { name, dimensions: dimensions!, payloadIndexes, metadata };
  }

  private async readBlocks(collection: LocalCollection): Promise<void> {
    const { table } = collection;
    const bytesPerRow = ID_BYTES + table.dimensions * Float32Array.BYTES_PER_ELEMENT;
    table.vectors.resize(Math.floor(Math.max(0, this.remaining) / bytesPerRow));
    while (this.remaining > END_BYTES) await this.readBlock(table);
    const end = await this.takePart(END_BYTES);
    const isEnd = end.readUInt32LE(0) === END_MARK && end.readDoubleLE(8) === table.length;
    if (!isEnd) throw new DamagedSnapshotError('its end is missing');
  }

  private async readBlock(table: PointTable): Promise<void> {
    const head = await this.takePart(BLOCK_HEAD_BYTES);
    const rows = head.readUInt32LE(4);
    if (head.readUInt32LE(0) !== BLOCK_MARK || rows > MAX_BLOCK_ROWS) throw new DamagedSnapshotError('a block is not whole');
    const described = await this.takePart(rows * ID_BYTES + head.readUInt32LE(8));
    const columns = parse<Record<string, EncodedColumn>>(described.subarray(rows * ID_BYTES));
    const vectorBytes = rows * table.dimensions * Float32Array.BYTES_PER_ELEMENT;
    if (vectorBytes > this.remaining) throw new DamagedSnapshotError('a block is cut off');
    const first = table.length;
    // Slices of one string: the ids of a block share its memory.
    const idText = described.toString('latin1', 0, rows * ID_BYTES);
    table.appendIds(Array.from({ length: rows }, (_, i) => idText.slice(i * ID_BYTES, (i + 1) * ID_BYTES)));
    for (const [field, column] of Object.entries(columns)) table.payloads.setCells(field, first, decode(column, rows));
    await this.readVectors(table, first, rows);
  }

  private async readVectors({ vectors, dimensions }: PointTable, first: number, rows: number): Promise<void> {
    const inPlace = vectors.contiguous(first, rows);
    if (inPlace !== null) {
      // Straight into place: the vectors are most of the file and are not copied again.
      await this.fillPart(Buffer.from(inPlace.buffer, inPlace.byteOffset, inPlace.byteLength));
      return;
    }
    const block = new Float32Array(rows * dimensions);
    await this.fillPart(Buffer.from(block.buffer));
    for (let i = 0; i < rows; i++) vectors.set(first + i, block.subarray(i * dimensions, (i + 1) * dimensions));
  }

  private async takePart(length: number): Promise<Buffer> {
    if (length > this.remaining) throw new DamagedSnapshotError('it is cut off');
    const bytes = Buffer.allocUnsafe(length);
    await this.fillPart(bytes);
    return bytes;
  }

  private async fillPart(bytes: Buffer): Promise<void> {
    this.fill(bytes);
    this.remaining -= bytes.length;
    await this.checksum.add(bytes);
  }

  private fill(bytes: Buffer): void {
    for (let done = 0; done < bytes.length;) {
      const read = readSync(this.descriptor, bytes, done, bytes.length - done, null);
      if (read === 0) throw new DamagedSnapshotError('it is cut off');
      done += read;
    }
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

function decode(column: EncodedColumn, rows: number) {
  try {
    return decodeColumn(column, rows);
  } catch (error) {
    throw new DamagedSnapshotError('a column is not whole', error);
  }
}
