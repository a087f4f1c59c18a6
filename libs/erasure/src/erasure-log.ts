import { constants } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { erasureRecordSchema, type ErasureRecord } from './erasure-record.js';

const FILE_MODE = 0o600;
const NEWLINE = 0x0a;

/** The log cannot be read, which would bring back what was erased, or takes no line. */
export class ErasureLogError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ErasureLogError';
  }
}

export interface ErasureLogContent {
  /** Whether there is a file. */
  readonly isThere: boolean;
  readonly records: readonly ErasureRecord[];
  /**
   * Numbers of lines that are no whole object, the last one without an end excepted. A crash leaves the beginning of a line, and the record is written again
   * in the next one; but it may be damage as well, and then something that was erased is not known any more.
   */
  readonly unreadableLines: readonly number[];
}

/**
 * What was erased, in a file outside of the database: a database that is restored has lost its own memory of it. One JSON object a line, only ever added to.
 *
 * Several processes may add lines to one file on a file system of this machine. A line may occur twice; who reads takes the first of each `erasure_id`.
 */
export class ErasureLog {
  constructor(readonly path: string) {}

  /** Adds a line; it is on the disk when this resolves. @throws what the file system says, and then nothing is promised */
  async append(record: ErasureRecord): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true });
    const file = await open(this.path, constants.O_APPEND | constants.O_CREAT | constants.O_RDWR, FILE_MODE);
    try {
      // A process that died in the middle of a line has left it without an end.
      const separator = (await endsInside(file)) ? '\n' : '';
      // One write, so that lines of several processes do not mix. A disk that fills up may take a part of it; the next line begins behind that.
      const line = Buffer.from(`${separator}${JSON.stringify(record)}\n`);
      const { bytesWritten } = await file.write(line);
      if (bytesWritten !== line.length) throw new ErasureLogError(`${this.path} took ${bytesWritten} of ${line.length} bytes of a line`);
      await file.sync();
    } finally {
      await file.close();
    }
    // The name of a file that was just made must survive the end of the machine, too.
    const folder = await open(dirname(this.path), constants.O_RDONLY);
    await folder.sync().finally(() => folder.close());
  }

  /** All records, oldest first. @throws ErasureLogError for a file that cannot be read, or an object that is no erasure */
  async read(): Promise<ErasureLogContent> {
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { isThere: false, records: [], unreadableLines: [] };
      throw new ErasureLogError(`The erasure log ${this.path} cannot be read: ${String(error)}`, { cause: error });
    }
    const lines = text.split('\n').map((line, place) => ({ line, number: place + 1, record: this.parse(line, place + 1) }));
    return {
      isThere: true,
      records: lines.flatMap(({ record }) => record ?? []),
      unreadableLines: lines
        .filter(({ line, number, record }) => record === null && line !== '' && number < lines.length)
        .map(({ number }) => number),
    };
  }

  private parse(line: string, number: number): ErasureRecord | null {
    if (line === '') return null;
    let content: unknown;
    try {
      content = JSON.parse(line);
    } catch {
      return null;
    }
    const { success, data, error } = erasureRecordSchema.safeParse(content);
    if (!success) throw new ErasureLogError(`Line ${number} of the erasure log ${this.path} is no erasure`, { cause: error });
    return data;
  }
}

async function endsInside(file: Awaited<ReturnType<typeof open>>): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== NEWLINE;
}
