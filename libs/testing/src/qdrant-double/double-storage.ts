import { DoubleCollection } from './double-collection.js';
import { DoubleFailure, noSuchCollection, wrongInput } from './double-failure.js';
import { asArray, isObject, textOf, type JsonObject } from './double-types.js';

/** All collections and aliases of one double. */
export class DoubleStorage {
  readonly collections = new Map<string, DoubleCollection>();
  readonly aliases = new Map<string, string>();

  constructor(private readonly version: () => string) {}

  /** Resolves a collection by its name or an alias. */
  require(name: string): DoubleCollection {
    const collection = this.collections.get(this.aliases.get(name) ?? name);
    if (collection === undefined) throw noSuchCollection(name);
    return collection;
  }

  exists(name: string): boolean {
    return this.collections.has(this.aliases.get(name) ?? name);
  }

  create(name: string, body: JsonObject): void {
    if (this.collections.has(name)) throw new DoubleFailure(409, `Wrong input: Collection \`${name}\` already exists!`);
    if (this.aliases.has(name)) throw wrongInput(`Can't create collection with name ${name}. Alias with the same name already exists`);
    const [vectors, metadata, strictMode] = [body['vectors'], body['metadata'], body['strict_mode_config']].map((part) =>
      isObject(part) ? part : undefined,
    );
    const features = { hasSlices: !this.version().startsWith('1.18.') };
    this.collections.set(name, new DoubleCollection(name, { vectors: vectors ?? {}, metadata, strictMode }, features));
  }

  /** Takes physical names only. Aliases of the collection go with it. */
  drop(name: string): boolean {
    if (!this.collections.delete(name)) return false;
    for (const [alias, target] of this.aliases) if (target === name) this.aliases.delete(alias);
    return true;
  }

  /** Applies the actions in order; what came before a bad one stays, as in Qdrant. */
  changeAliases(body: JsonObject): void {
    for (const action of asArray(body['actions'])) {
      if (!isObject(action)) continue;
      const { create_alias: create, delete_alias: remove } = action;
      if (isObject(create)) this.createAlias(textOf(create['alias_name']), textOf(create['collection_name']));
      if (isObject(remove)) this.aliases.delete(textOf(remove['alias_name']));
    }
  }

  private createAlias(alias: string, collection: string): void {
    if (!this.collections.has(collection)) throw noSuchCollection(collection);
    if (this.collections.has(alias)) throw new DoubleFailure(409, `Wrong input: Collection \`${alias}\` already exists!`);
    this.aliases.set(alias, collection);
  }
}
