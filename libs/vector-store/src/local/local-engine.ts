import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { VectorStoreError } from '../vector-store-error.js';
import type { CollectionSpec } from '../vector-store.js';
import { AliasFile, syncFolderNow } from './alias-file.js';
import { LocalCollection } from './local-collection.js';
import { collectionOfFile, DAMAGED_SUFFIX, snapshotPath, TEMPORARY_SUFFIX } from './snapshot-format.js';
import { readSnapshot } from './snapshot-reader.js';
import { writeSnapshot } from './snapshot-writer.js';

export interface EngineOptions {
  readonly folder: string;
  readonly exactLimit: number;
}

/** What {@link LocalEngine.load} found on disk. */
export interface LoadReport {
  readonly loaded: readonly { readonly collection: string; readonly points: number }[];
  /** Set aside as `<file>.damaged`. */
  readonly damaged: readonly { readonly file: string; readonly reason: string }[];
}

const OWNER_ONLY = 0o700;
/** File names on every system; the first character keeps hidden files and options out. */
const NAME_PATTERN = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$/;

/** Collections, aliases and their files. Synchronous but for snapshots, so that calls never interleave. */
export class LocalEngine {
  private readonly collections = new Map<string, LocalCollection>();
  private readonly savedChanges = new WeakMap<LocalCollection, number>();
  private aliases = new Map<string, string>();
  private readonly aliasFile: AliasFile;
  private lastSnapshot: Promise<void> = Promise.resolve();

  constructor(private readonly options: EngineOptions) {
    this.aliasFile = new AliasFile(options.folder);
  }

  /** Reads what is whole; sets aside what is not; removes what a crash left half written. */
  async load(): Promise<LoadReport> {
    const { folder, exactLimit } = this.options;
    mkdirSync(folder, { recursive: true, mode: OWNER_ONLY });
    const loaded: { collection: string; points: number }[] = [];
    const damaged: { file: string; reason: string }[] = [];
    const setAside = (file: string, reason: string) => {
      damaged.push({ file, reason });
      renameSync(join(folder, file), join(folder, `${file}${DAMAGED_SUFFIX}`));
    };
    for (const file of readdirSync(folder)) {
      if (file.endsWith(TEMPORARY_SUFFIX)) rmSync(join(folder, file), { recursive: true, force: true });
      const name = collectionOfFile(file);
      if (name === null) continue;
      try {
        const collection = await readSnapshot(join(folder, file), name, exactLimit);
        this.collections.set(name, collection);
        this.savedChanges.set(collection, collection.changes);
        loaded.push({ collection: name, points: collection.table.length });
      } catch (error) {
        // Unreadable counts as damaged: either way the ledger knows what belongs here.
        setAside(file, error instanceof Error ? error.message : String(error));
      }
    }
    try {
      this.aliases = this.aliasFile.read();
    } catch (error) {
      setAside('aliases.json', error instanceof Error ? error.message : String(error));
    }
    return { loaded, damaged };
  }

  get size(): number {
    return this.collections.size;
  }

  all(): IterableIterator<LocalCollection> {
    return this.collections.values();
  }

  /** @throws VectorStoreError `collection-missing` */
  collection(name: string): LocalCollection {
    const collection = this.collections.get(name);
    if (collection === undefined) throw new VectorStoreError('collection-missing', `No collection ${name}`);
    return collection;
  }

  find(name: string): LocalCollection | undefined {
    return this.collections.get(name);
  }

  ensureIndex(spec: CollectionSpec): boolean {
    const existing = this.collections.get(spec.name);
    if (existing !== undefined) {
      existing.complete(spec);
      return false;
    }
    assertName(spec.name);
    if (!Number.isSafeInteger(spec.dimensions) || spec.dimensions < 1)
      throw new VectorStoreError('rejected', 'dimensions must be 1 or more');
    const created = new LocalCollection(spec.name, spec.dimensions, this.options.exactLimit);
    created.complete(spec);
    created.setMetadata(spec.metadata);
    this.collections.set(spec.name, created);
    return true;
  }

  drop(name: string): boolean {
    if (!this.collections.delete(name)) return false;
    const kept = new Map([...this.aliases].filter(([, target]) => target !== name));
    if (kept.size !== this.aliases.size) this.replaceAliases(kept);
    rmSync(snapshotPath(this.options.folder, name), { force: true });
    syncFolderNow(this.options.folder);
    return true;
  }

  setAlias(alias: string, collection: string): void {
    this.collection(collection);
    if (this.collections.has(alias)) throw new VectorStoreError('rejected', `${alias} is the name of a collection`);
    assertName(alias);
    if (this.aliases.get(alias) !== collection) this.replaceAliases(new Map(this.aliases).set(alias, collection));
  }

  getAlias(alias: string): string | null {
    // An alias may be younger than the snapshot of its collection, and so outlive it in a crash.
    const target = this.aliases.get(alias);
    return target !== undefined && this.collections.has(target) ? target : null;
  }

  isDirty(collection: LocalCollection): boolean {
    return this.savedChanges.get(collection) !== collection.changes;
  }

  /** Writes the collection to disk; one at a time, because two would compete for the same disk and processor. */
  snapshot(collection: LocalCollection): Promise<void> {
    const written = this.lastSnapshot.then(async () => {
      // Writes during the snapshot may be missing from it: they leave the collection dirty.
      const { changes } = collection;
      await writeSnapshot(this.options.folder, collection, () => this.collections.get(collection.name) === collection);
      this.savedChanges.set(collection, changes);
    });
    this.lastSnapshot = written.catch(() => undefined);
    return written;
  }

  private replaceAliases(aliases: Map<string, string>): void {
    this.aliasFile.write(aliases);
    this.aliases = aliases;
  }
}

function assertName(name: string): void {
  if (!NAME_PATTERN.test(name)) throw new VectorStoreError('rejected', 'A name must be 1 to 200 letters, digits, _, - or .');
}
