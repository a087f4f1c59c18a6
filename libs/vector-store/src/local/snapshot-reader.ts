import { createHash, type Hash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { CollectionSpec } from '../vector-store.js';
import { LocalCollection } from './local-collection.js';
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
 * Being whole does not make it current: the caller's caller compares every point with the ledger.
 *
 * @throws DamagedSnapshotError for whatever is wrong with the content
 * @throws Error of the file system when the file cannot be read
 */
export function readSnapshot(path: string, name: string, exactLimit: number): LocalCollection {
  const descriptor = openSync(path, 'r');
  try {
    return new SnapshotReader(descriptor).read(name, exactLimit);
  } finally {
    closeSync(descriptor);
  }
}

class SnapshotReader {
  private readonly hash: Hash = createHash('sha256');
  /** Bytes before the checksum that are not read yet: no length in the file may ask for more, so damage cannot exhaust the memory. */
  private remaining: number;

  constructor(private readonly descriptor: number) {
    this.remaining = fstatSync(descriptor).size - DIGEST_BYTES;
  }

  read(name: string, exactLimit: number): LocalCollection {
    const spec = this.readHead();
    if (spec.name !== name) throw new DamagedSnapshotError('it belongs to another collection');
    const collection = new LocalCollection(spec.name, spec.dimensions, exactLimit);
    collection.complete(spec);
    collection.setMetadata(spec.metadata);
    this.readBlocks(collection);
    this.checkDigest();
    return collection;
  }

  private readHead(): CollectionSpec {
    const prelude = this.take(PRELUDE_BYTES);
    if (prelude.toString('latin1', 0, MAGIC.length) !== MAGIC) throw new DamagedSnapshotError('it is no snapshot');
    const version = prelude.readUInt32LE(MAGIC.length);
    if (version !== FORMAT_VERSION) throw new DamagedSnapshotError(`it has format ${version}, not ${FORMAT_VERSION}`);
    const length = prelude.readUInt32LE(MAGIC.length + 4);
    if (length > MAX_HEADER_BYTES) throw new DamagedSnapshotError('its header is too long');
    const spec = parse<Partial<CollectionSpec>>(this.take(length));
    const { name, dimensions, payloadIndexes, metadata } = spec;
    const isWhole = typeof name === 'string' && Number.isSafeInteger(dimensions) && dimensions! > 0 && Array.isArray(payloadIndexes);
    if (!isWhole || typeof metadata !== 'object') throw new DamagedSnapshotError('its header is not whole');
    return { name, dimensions: dimensions!, payloadIndexes, metadata };
  }

  private readBlocks(collection: LocalCollection): void {
    const duplicates: number[] = [];
    while (this.remaining > END_BYTES) this.readBlock(collection, duplicates);
    const end = this.take(END_BYTES);
    const isEnd = end.readUInt32LE(0) === END_MARK && end.readDoubleLE(8) === collection.table.length;
    if (!isEnd) throw new DamagedSnapshotError('its end is missing');
    removeOlderCopies(collection, duplicates);
  }

  private readBlock({ table }: LocalCollection, duplicates: number[]): void {
    const head = this.take(BLOCK_HEAD_BYTES);
    const rows = head.readUInt32LE(4);
    if (head.readUInt32LE(0) !== BLOCK_MARK || rows > MAX_BLOCK_ROWS) throw new DamagedSnapshotError('a block is not whole');
    const idBytes = this.take(rows * ID_BYTES);
    const columns = parse<Record<string, EncodedColumn>>(this.take(head.readUInt32LE(8)));
    if (rows * table.dimensions * Float32Array.BYTES_PER_ELEMENT > this.remaining) throw new DamagedSnapshotError('a block is cut off');
    const first = table.length;
    const ids = Array.from({ length: rows }, (_, i) => idBytes.toString('latin1', i * ID_BYTES, (i + 1) * ID_BYTES));
    ids.forEach((id, i) => {
      const other = table.rowOf(id);
      if (other !== undefined) duplicates.push(first + i);
    });
    table.appendIds(ids);
    for (const [field, column] of Object.entries(columns)) table.payloads.setCells(field, first, decode(column, rows));
    table.vectors.forEachPiece(first, rows, (piece) => this.fill(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)));
  }

  private take(length: number): Buffer {
    if (length > this.remaining) throw new DamagedSnapshotError('it is cut off');
    const bytes = Buffer.allocUnsafe(length);
    this.fill(bytes);
    return bytes;
  }

  /** Reads straight into place: the vectors are most of the file and are not copied again. */
  private fill(bytes: Buffer): void {
    this.readFully(bytes);
    this.remaining -= bytes.length;
    this.hash.update(bytes);
  }

  private checkDigest(): void {
    const digest = Buffer.alloc(DIGEST_BYTES);
    this.readFully(digest);
    if (!digest.equals(this.hash.digest())) throw new DamagedSnapshotError('its checksum does not match');
  }

  private readFully(bytes: Buffer): void {
    for (let done = 0; done < bytes.length;) {
      const read = readSync(this.descriptor, bytes, done, bytes.length - done, null);
      if (read === 0) throw new DamagedSnapshotError('it is cut off');
      done += read;
    }
  }
}

/** A point that moved while the file was written is in it twice: the higher rev stays. */
function removeOlderCopies({ table }: LocalCollection, duplicates: readonly number[]): void {
  if (duplicates.length === 0) return;
  const repeated = new Set(duplicates.map((row) => table.idAt(row)));
  const newest = new Map<string, number>();
  const losers: number[] = [];
  for (let row = 0; row < table.length; row++) {
    const id = table.idAt(row);
    if (!repeated.has(id)) continue;
    const other = newest.get(id);
    const isNewer = other === undefined || (table.revAt(row) ?? 0) > (table.revAt(other) ?? 0);
    if (isNewer) newest.set(id, row);
    const loser = isNewer ? other : row;
    if (loser !== undefined) losers.push(loser);
  }
  // From the last to the first: a removal then moves only rows that stay.
  for (const row of losers.sort((a, b) => b - a)) table.removeRow(row);
  for (let row = 0; row < table.length; row++) if (repeated.has(table.idAt(row))) table.claimId(row);
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
