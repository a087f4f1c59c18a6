import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { GenerationReply } from '../commands/generation-text.js';
import { UsageError } from '../service/usage-error.js';

const SNAPSHOT = /^(.+)\.snapshot$/;

/** What a folder of a local store says about whose it is. */
export interface OldStore {
  readonly folder: string;
  /** Collections that this database knows: their names are given once and never again. */
  readonly known: readonly { readonly collection: string; readonly generation: number; readonly source: string }[];
  readonly unknown: readonly string[];
}

/**
 * Looks whose local store a folder was: a data directory, or the `index` folder in it.
 *
 * @throws UsageError when it holds no snapshots
 */
export async function inspectOldStore(path: string, generations: readonly GenerationReply[]): Promise<OldStore> {
  for (const folder of [join(path, 'index'), path]) {
    const collections = await collectionsIn(folder);
    if (collections.length === 0) continue;
    const known = collections.flatMap((collection) => {
      const generation = generations.find((one) => one.collection === collection);
      return generation === undefined ? [] : [{ collection, generation: generation.id, source: generation.source }];
    });
    const unknown = collections.filter((collection) => !known.some((one) => one.collection === collection));
    return { folder, known, unknown };
  }
  throw new UsageError(`--from ${path} holds no snapshots of a local index. Name the data directory of the service before.`);
}

async function collectionsIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).flatMap((name) => SNAPSHOT.exec(name)?.[1] ?? []);
  } catch {
    return [];
  }
}
