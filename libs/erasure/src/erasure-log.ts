import { constants } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { erasureRecordSchema, type ErasureRecord } from './erasure-record.js';

const FILE_MODE = 0o600;
const NEWLINE = 0x0a;

/** The log cannot be read: restoring without it would bring back what was erased. */
export class ErasureLogError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ErasureLogError';
  }
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
      await file.write(`${separator}${JSON.stringify(record)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    // The name of a file that was just made must survive the end of the machine, too.
    const folder = await open(dirname(this.path), constants.O_RDONLY);
    await folder.sync().finally(() => folder.close());
  }

  /** All lines, oldest first; none when there is no file. A line that was cut off by a crash is left out: nobody was told that it was written. @throws ErasureLogError */
  async read(): Promise<ErasureRecord[]> {
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw new ErasureLogError(`The erasure log ${this.path} cannot be read: ${String(error)}`, { cause: error });
    }
    return text.split('\n').flatMap((line, place) => this.parse(line, place + 1));
  }

  private parse(line: string, number: number): ErasureRecord[] {
    if (line === '') return [];
    let content: unknown;
    try {
      content = JSON.parse(line);
    } catch {
      // No whole object: the beginning of a line whose process died. The next process has ended it and written the record again.
      return [];
    }
    const { success, data, error } = erasureRecordSchema.safeParse(content);
    if (!success) throw new ErasureLogError(`Line ${number} of the erasure log ${this.path} is no erasure`, { cause: error });
    return [data];
  }
}

async function endsInside(file: Awaited<ReturnType<typeof open>>): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== NEWLINE;
}
