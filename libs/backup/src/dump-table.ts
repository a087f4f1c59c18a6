import type { CopySession } from '#database';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Transform, Writable, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import { columnList, publicName, type CopiedTable } from './list-tables.js';
import { RowDigest } from './row-digest.js';

/** Half of a backup is vectors, which do not get smaller: a higher level costs time and gains little. */
const GZIP_LEVEL = constants.Z_BEST_SPEED;

export interface DumpedTable {
  readonly rows: number;
  readonly rowsDigest: string;
}

export interface DumpedFile extends DumpedTable {
  /** Of the file. */
  readonly bytes: number;
  readonly sha256: string;
}

const copyOut = (session: CopySession, { name, columns }: CopiedTable) =>
  session.copyOut(`COPY ${publicName(name)} (${columnList(columns)}) TO STDOUT`);

/** Writes the rows of a table to a file, which is on the disk when this resolves. Needs memory for one row and some buffers. */
export async function dumpTable(
  session: CopySession,
  table: CopiedTable,
  path: string,
  onRows: (rows: number) => void = () => undefined,
): Promise<DumpedFile> {
  const rows = new RowDigest();
  const file = createHash('sha256');
  let bytes = 0;
  const tap = passing((chunk) => {
    rows.update(chunk);
    onRows(rows.rows);
  });
  const seal = passing((chunk) => {
    file.update(chunk);
    bytes += chunk.length;
  });
  const target = createWriteStream(path, { flush: true });
  await pipeline(copyOut(session, table), tap, createGzip({ level: GZIP_LEVEL }), seal, target);
  return { rows: rows.rows, rowsDigest: rows.digest(), bytes, sha256: file.digest('hex') };
}

/** The same without a file: what is in a table now. */
export async function digestTable(session: CopySession, table: CopiedTable): Promise<DumpedTable> {
  const rows = new RowDigest();
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      rows.update(chunk);
      done();
    },
  });
  await pipeline(copyOut(session, table), sink);
  return { rows: rows.rows, rowsDigest: rows.digest() };
}

/** Hands every chunk on, and shows it to `look`. */
export function passing(look: (chunk: Buffer) => void): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
      look(chunk);
      done(null, chunk);
    },
  });
}
