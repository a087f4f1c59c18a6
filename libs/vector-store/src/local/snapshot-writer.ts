import { createHash } from 'node:crypto';
import { renameSync } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import type { LocalCollection } from './local-collection.js';
import {
  BLOCK_HEAD_BYTES,
  BLOCK_MARK,
  END_BYTES,
  END_MARK,
  encodeColumn,
  FORMAT_VERSION,
  ID_BYTES,
  MAGIC,
  PRELUDE_BYTES,
  ROWS_PER_BLOCK,
  snapshotPath,
  TEMPORARY_SUFFIX,
  type EncodedColumn,
} from './snapshot-format.js';

const OWNER_ONLY = 0o600;

/**
 * Writes the collection to its snapshot file, in slices between which queries and writes go on, and replaces the old file only when the new one is
 * safe on disk. A crash at any moment leaves the old file or the new one.
 *
 * Writes that happen meanwhile may be in the file or not; what is in it was true of each point at some moment. Rows are written from the last to
 * the first: a removal moves the last row into the gap, so a row that moves is written twice rather than never. The reader keeps the higher rev.
 *
 * @param isCurrent asked before the file takes its name: a collection that was dropped meanwhile must not come back
 * @throws Error of the file system; the old file is then untouched
 */
export async function writeSnapshot(folder: string, collection: LocalCollection, isCurrent: () => boolean): Promise<void> {
  const path = snapshotPath(folder, collection.name);
  const temporary = `${path}${TEMPORARY_SUFFIX}`;
  try {
    await writeFile(temporary, collection);
    // Check and rename in one step of the event loop: nothing can drop the collection between them.
    if (isCurrent()) renameSync(temporary, path);
    await syncFolder(folder);
  } finally {
    // Nothing is left to remove after the rename; after a failure the space may be needed badly.
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

async function writeFile(path: string, collection: LocalCollection): Promise<void> {
  const file = await open(path, 'w', OWNER_ONLY);
  try {
    await writeAll(file, collection);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a rename in the folder survive a loss of power. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAll(file: FileHandle, collection: LocalCollection): Promise<void> {
  const checksum = createHash('sha256');
  const write = async (bytes: Buffer) => {
    checksum.update(bytes);
    await file.writeFile(bytes);
  };
  await write(encodeHeader(collection));
  let written = 0;
  for (let end = collection.table.length; end > 0;) {
    end = Math.min(end, collection.table.length);
    const first = Math.max(0, end - ROWS_PER_BLOCK);
    if (end > first) await write(encodeBlock(collection, first, end - first));
    written += end - first;
    end = first;
  }
  await write(encodeEnd(written));
  await file.writeFile(checksum.digest());
}

function encodeHeader(collection: LocalCollection): Buffer {
  const header = Buffer.from(JSON.stringify(collection.describe()));
  const prelude = Buffer.alloc(PRELUDE_BYTES);
  prelude.write(MAGIC, 'latin1');
  prelude.writeUInt32LE(FORMAT_VERSION, MAGIC.length);
  prelude.writeUInt32LE(header.length, MAGIC.length + 4);
  return Buffer.concat([prelude, header]);
}

/** Copies the rows: the bytes that are hashed must be the bytes that are written, whatever happens to the rows meanwhile. */
function encodeBlock({ table }: LocalCollection, first: number, rows: number): Buffer {
  const columns: Record<string, EncodedColumn> = {};
  for (const field of table.payloads.fields()) {
    const cells = table.payloads.cellsOf(field)!;
    columns[field] = encodeColumn(Array.from({ length: rows }, (_, i) => cells[first + i]));
  }
  const payloads = Buffer.from(JSON.stringify(columns));
  const head = Buffer.alloc(BLOCK_HEAD_BYTES);
  head.writeUInt32LE(BLOCK_MARK, 0);
  head.writeUInt32LE(rows, 4);
  head.writeUInt32LE(payloads.length, 8);
  const ids = Buffer.alloc(rows * ID_BYTES);
  for (let i = 0; i < rows; i++) ids.write(table.idAt(first + i), i * ID_BYTES, 'latin1');
  const vectors = table.vectors.slice(first, rows);
  return Buffer.concat([head, ids, payloads, Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength)]);
}

function encodeEnd(rows: number): Buffer {
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(END_MARK, 0);
  end.writeDoubleLE(rows, 8);
  return end;
}
