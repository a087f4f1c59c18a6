import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { BackupError } from './backup-error.js';

export const MANIFEST_FILE = 'manifest.json';
/** Raised when an older Kindred could not read the folder any more. */
export const FORMAT_VERSION = 1;

const hex256 = z.string().regex(/^[0-9a-f]{64}$/);
const name = z.string().min(1).max(200);

const tableSchema = z.strictObject({
  name,
  /** In the folder of the backup; compressed with gzip. */
  file: z.string().regex(/^[a-z0-9_.-]+\.copy\.gz$/),
  columns: z.array(name).min(1),
  rows: z.int().nonnegative(),
  /** Of the file. */
  bytes: z.int().nonnegative(),
  sha256: hex256,
  /** Of the rows, whatever their order: see RowDigest. */
  rows_digest: hex256,
});

const manifestSchema = z.strictObject({
  format_version: z.int(),
  id: z.uuid(),
  kindred_version: z.string(),
  created_at: z.iso.datetime(),
  postgresql_version: z.string(),
  /** `kindred_identity`: which database it is of. */
  database_id: z.uuid().nullable(),
  /** Names, oldest first: a restore runs the same. */
  migrations: z.array(name),
  generations: z.array(z.strictObject({ id: z.int(), source: z.string(), collection: z.string(), state: z.string(), epoch: z.uuid() })),
  /** Vectors are in the table `embedding_cache`, so the index is written again without a model. */
  index: z.strictObject({ mode: z.literal('rebuild-from-cache') }),
  sequences: z.array(z.strictObject({ name, last_value: z.string().regex(/^-?\d+$/), is_called: z.boolean() })),
  tables: z.array(tableSchema),
  /** Lines of the erasure log, as they were: ids and hashes, no content. */
  erasure_log: z.array(z.record(z.string(), z.unknown())),
});

export type BackupTable = z.infer<typeof tableSchema>;
export type BackupManifest = z.infer<typeof manifestSchema>;

/** Reads what a backup says of itself. @throws BackupError for a folder that holds none, or one that was not finished, or of a newer format */
export async function readManifest(folder: string): Promise<BackupManifest> {
  const path = join(folder, MANIFEST_FILE);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new BackupError(`${folder} holds no whole backup: there is no ${MANIFEST_FILE}, which is written last.`);
    throw new BackupError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  const version = (content as { format_version?: unknown } | null)?.format_version;
  if (typeof version === 'number' && version > FORMAT_VERSION)
    throw new BackupError(`${path} has the format ${version}; this Kindred reads ${FORMAT_VERSION} and older. Use a newer one.`);
  const { success, data, error } = manifestSchema.safeParse(content);
  if (!success) throw new BackupError(`${path} is damaged: ${z.prettifyError(error)}`, { cause: error });
  return data;
}
