import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BackupError } from './backup-error.js';
import type { BackupManifest, BackupTable } from './backup-manifest.js';

/** Reads every file of a backup and compares it with the manifest; nothing else is touched. @throws BackupError naming all files that are damaged or gone */
export async function verifyFiles(
  folder: string,
  { tables }: BackupManifest,
  onFile: (table: string) => void = () => undefined,
): Promise<void> {
  const damaged: string[] = [];
  for (const table of tables) {
    onFile(table.name);
    const reason = await findDamage(join(folder, table.file), table);
    if (reason !== null) damaged.push(`${table.file} ${reason}`);
  }
  if (damaged.length > 0)
    throw new BackupError(`The backup in ${folder} is damaged, and nothing was restored from it: ${damaged.join('; ')}.`);
}

async function findDamage(path: string, expected: BackupTable): Promise<string | null> {
  const sum = createHash('sha256');
  let bytes = 0;
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      sum.update(chunk);
      bytes += chunk.length;
      done();
    },
  });
  try {
    await pipeline(createReadStream(path), sink);
  } catch (error) {
    return `cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`;
  }
  if (bytes !== expected.bytes) return `has ${bytes} bytes, not ${expected.bytes}`;
  return sum.digest('hex') === expected.sha256 ? null : 'has another checksum';
}
