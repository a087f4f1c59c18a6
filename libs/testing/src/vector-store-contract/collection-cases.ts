/// <reference types="jest" />
import type { VectorStore } from '#vector-store';
import { axis, expectKind, idOf, PAYLOAD_INDEXES, pointOf, type ContractHarness } from './contract-harness.js';

export function describeCollections(harness: ContractHarness): void {
  describeIndexes(harness);
  describeAliases(harness);
  describeMissingCollection(harness);
}

function describeIndexes(harness: ContractHarness): void {
  describe('collections', () => {
    it('creates a collection once', async () => {
      const spec = harness.spec();
      await expect(harness.store.ensureIndex(spec)).resolves.toBe(true);
      await expect(harness.store.ensureIndex(spec)).resolves.toBe(false);
    });

    it('keeps the points when an index is ensured again', async () => {
      const spec = harness.spec();
      await harness.store.ensureIndex(spec);
      await harness.store.upsert(spec.name, [pointOf(idOf(1), axis(0))]);
      await harness.store.ensureIndex(spec);
      await expect(harness.ids(spec.name)).resolves.toEqual([idOf(1)]);
    });

    it('adds payload indexes that are missing', async () => {
      const spec = harness.spec({ payloadIndexes: [] });
      await harness.store.ensureIndex(spec);
      await harness.store.upsert(spec.name, [
        pointOf(idOf(1), axis(0), { fields: { project_type: 'kitchen', final_price: 10 } }),
        pointOf(idOf(2), axis(0), { fields: { project_type: 'stairs', final_price: 20 } }),
      ]);
      await expect(harness.store.ensureIndex({ ...spec, payloadIndexes: PAYLOAD_INDEXES })).resolves.toBe(false);
      await expect(harness.store.count(spec.name, { kind: 'any', field: 'project_type', values: ['stairs'] })).resolves.toBe(1);
      await expect(harness.store.count(spec.name, { kind: 'range', field: 'final_price', lt: 15 })).resolves.toBe(1);
    });

    it('lets one of several callers create', async () => {
      const spec = harness.spec();
      const created = await Promise.all(Array.from({ length: 4 }, () => harness.store.ensureIndex(spec)));
      expect(created.filter(Boolean)).toHaveLength(1);
    });

    it('refuses to ensure another dimension, and leaves the collection alone', async () => {
      const collection = await harness.collection([pointOf(idOf(1), axis(0))]);
      await expectKind(harness.store.ensureIndex(harness.spec({ name: collection, dimensions: 8 })), 'dimension-mismatch');
      await expect(harness.ids(collection)).resolves.toEqual([idOf(1)]);
    });

    it('describes a collection', async () => {
      const spec = harness.spec({ metadata: { model: 'm1', schema: 3 } });
      await harness.store.ensureIndex(spec);
      await harness.store.upsert(spec.name, [pointOf(idOf(1), axis(0))]);
      const info = await harness.store.info(spec.name);
      expect(info).toMatchObject({ dimensions: 4, metadata: { model: 'm1', schema: 3 } });
      expect(['green', 'yellow', 'grey', 'red']).toContain(info!.status);
      expect(info!.pointsCount).toBeGreaterThanOrEqual(0);
      expect(info!.indexedVectorsCount).toBeGreaterThanOrEqual(0);
    });

    it('describes a missing collection as null', async () => {
      await expect(harness.store.info(harness.name())).resolves.toBeNull();
    });

    it('merges metadata and removes keys that are set to null', async () => {
      const spec = harness.spec({ metadata: { model: 'm1', schema: 1, note: 'kept' } });
      await harness.store.ensureIndex(spec);
      await harness.store.setMetadata(spec.name, { schema: 2, model: null, more: 'new' });
      const info = await harness.store.info(spec.name);
      expect(info!.metadata).toEqual({ schema: 2, note: 'kept', more: 'new' });
    });

    it('drops a collection once', async () => {
      const collection = await harness.collection([pointOf(idOf(1), axis(0))]);
      await expect(harness.store.drop(collection)).resolves.toBe(true);
      await expect(harness.store.drop(collection)).resolves.toBe(false);
      await expect(harness.store.info(collection)).resolves.toBeNull();
    });

    it('starts empty after a drop under the same name', async () => {
      const collection = await harness.collection([pointOf(idOf(1), axis(0), { rev: 9 })]);
      await harness.store.drop(collection);
      await harness.store.ensureIndex(harness.spec({ name: collection, dimensions: 8 }));
      await expect(harness.store.count(collection)).resolves.toBe(0);
    });

    it('keeps collections apart', async () => {
      const first = await harness.collection([pointOf(idOf(1), axis(0))]);
      const second = await harness.collection([pointOf(idOf(2), axis(0))]);
      await harness.store.delete(second, [{ id: idOf(1), rev: 100 }]);
      await expect(harness.ids(first)).resolves.toEqual([idOf(1)]);
      await expect(harness.ids(second)).resolves.toEqual([idOf(2)]);
    });

    it('names the snapshot it writes', async () => {
      const collection = await harness.collection([pointOf(idOf(1), axis(0))]);
      const name = await harness.store.snapshot(collection);
      expect(name.length).toBeGreaterThan(0);
    });

    it('gives a sign of life', async () => {
      await harness.collection();
      const status = await harness.store.ping();
      expect(status.source).toBe(harness.store.source);
      expect(status.collectionsCount).toBeGreaterThanOrEqual(1);
    });

    it('can be opened twice', async () => {
      const collection = await harness.collection([pointOf(idOf(1), axis(0))]);
      await harness.store.open();
      await expect(harness.ids(collection)).resolves.toEqual([idOf(1)]);
    });
  });
}

function describeAliases(harness: ContractHarness): void {
  describe('aliases', () => {
    it('knows no alias that was not set', async () => {
      await expect(harness.store.getAlias(harness.name())).resolves.toBeNull();
    });

    it('points an alias at a collection', async () => {
      const collection = await harness.collection();
      const alias = harness.name();
      await harness.store.setAlias(alias, collection);
      await expect(harness.store.getAlias(alias)).resolves.toBe(collection);
    });

    it('repoints an alias', async () => {
      const [first, second] = [await harness.collection(), await harness.collection()];
      const alias = harness.name();
      await harness.store.setAlias(alias, first);
      await harness.store.setAlias(alias, second);
      await expect(harness.store.getAlias(alias)).resolves.toBe(second);
    });

    it('keeps the alias when its new collection is missing', async () => {
      const collection = await harness.collection();
      const alias = harness.name();
      await harness.store.setAlias(alias, collection);
      await expectKind(harness.store.setAlias(alias, harness.name()), 'collection-missing');
      await expect(harness.store.getAlias(alias)).resolves.toBe(collection);
    });

    it('refuses an alias that is named like a collection', async () => {
      const [first, second] = [await harness.collection(), await harness.collection()];
      await expectKind(harness.store.setAlias(first, second), 'rejected');
    });

    it('drops the aliases of a dropped collection', async () => {
      const collection = await harness.collection();
      const alias = harness.name();
      await harness.store.setAlias(alias, collection);
      await harness.store.drop(collection);
      await expect(harness.store.getAlias(alias)).resolves.toBeNull();
    });

    it('does not drop a collection by its alias', async () => {
      const collection = await harness.collection();
      const alias = harness.name();
      await harness.store.setAlias(alias, collection);
      await expect(harness.store.drop(alias)).resolves.toBe(false);
      await expect(harness.store.count(collection)).resolves.toBe(0);
    });
  });
}

const CALLS_ON_A_COLLECTION: readonly [string, (store: VectorStore, collection: string) => Promise<unknown>][] = [
  ['upsert', (store, name) => store.upsert(name, [pointOf(idOf(1), axis(0))])],
  ['delete', (store, name) => store.delete(name, [{ id: idOf(1), rev: 1 }])],
  ['query', (store, name) => store.query(name, { vector: axis(0), limit: 1 })],
  ['queryBatch', (store, name) => store.queryBatch(name, [{ vector: axis(0), limit: 1 }])],
  ['recommend', (store, name) => store.recommend(name, { positive: [idOf(1)], limit: 1 })],
  ['scroll', (store, name) => store.scroll(name, { limit: 1 })],
  ['retrieve', (store, name) => store.retrieve(name, [idOf(1)])],
  ['count', (store, name) => store.count(name)],
  ['countByBucket', (store, name) => store.countByBucket(name)],
  ['setMetadata', (store, name) => store.setMetadata(name, { a: 1 })],
  ['setAlias', (store, name) => store.setAlias(`${name}_alias`, name)],
  ['snapshot', (store, name) => store.snapshot(name)],
];

function describeMissingCollection(harness: ContractHarness): void {
  it.each(CALLS_ON_A_COLLECTION)('says collection-missing: %s', async (_name, call) => {
    await expectKind(call(harness.store, harness.name()), 'collection-missing');
  });

  it.each(CALLS_ON_A_COLLECTION)('gives up on an aborted call: %s', async (_name, call) => {
    const collection = await harness.collection([pointOf(idOf(1), axis(0))]);
    const store = withSignal(harness.store, AbortSignal.abort());
    await expectKind(call(store, collection), 'unavailable');
  });
}

/** Position of the call options in the arguments of each method. */
const OPTIONS_POSITION: Readonly<Record<string, number>> = {
  upsert: 2,
  delete: 2,
  query: 2,
  queryBatch: 2,
  recommend: 2,
  scroll: 2,
  retrieve: 2,
  count: 2,
  countByBucket: 1,
  setMetadata: 2,
  setAlias: 2,
  snapshot: 1,
};

function withSignal(store: VectorStore, signal: AbortSignal): VectorStore {
  return new Proxy(store, {
    get(target, property) {
      const method = Reflect.get(target, property) as (...args: unknown[]) => unknown;
      const position = OPTIONS_POSITION[String(property)];
      if (position === undefined) return method;
      return (...args: unknown[]) => {
        const padded = [...args, ...Array.from({ length: position }, () => undefined)].slice(0, position);
        return method.call(target, ...padded, { signal });
      };
    },
  });
}
