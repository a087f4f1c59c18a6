import { Logger } from '@nestjs/common';
import { QdrantDouble } from '#testing';
import { QdrantVectorStore } from '#vector-store';
import { COLLECTION, idOf, pointOf, QdrantFixture, UPSERT } from './qdrant-fixture.js';

describe('QdrantVectorStore (on a double of Qdrant)', () => {
  let fixture: QdrantFixture;
  let double: QdrantFixture['double'];
  let store: QdrantFixture['store'];
  const connect = (...options: Parameters<QdrantFixture['connect']>): QdrantFixture['store'] => fixture.connect(...options);
  const requestsTo = (line: RegExp): number => fixture.requestsTo(line);
  const search = (): Promise<unknown> => fixture.search();

  beforeEach(async () => {
    fixture = new QdrantFixture();
    await fixture.start();
    ({ double, store } = fixture);
  });

  afterEach(() => fixture.stop());

  describe('comparisons', () => {
    /** Numbers and points without payload, as somebody else may put them there. */
    async function putForeign(ids: readonly number[]): Promise<void> {
      const points = ids.map((id) => ({ id, vector: { text: [1, 0, 0, 0] } }));
      const reply = await fetch(`${double.url}/collections/${COLLECTION}/points?wait=true`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ points }),
      });
      expect(reply.status).toBe(200);
    }

    it.each([1, 2, 3, 10])('pages by %d past ids that are numbers, which come first', async (limit) => {
      await putForeign([7, 3, 12]);
      const found: string[] = [];
      for (let after: string | undefined; ;) {
        const page = await store.scroll(COLLECTION, { limit, after });
        found.push(...page.points.map(({ id }) => id));
        if (page.next === null) break;
        after = page.next;
      }
      expect(found).toEqual(['3', '7', '12', idOf(1)]);
    });

    it('goes on with the UUIDs behind a number that cannot be written exactly', async () => {
      const { points } = await store.scroll(COLLECTION, { limit: 5, after: '18446744073709551615' });
      expect(points.map(({ id }) => id)).toEqual([idOf(1)]);
    });

    it('has slices as soon as the version is known, and none before 1.19', async () => {
      const fresh = connect();
      expect(fresh.parallelSlices).toBe(1);
      await fresh.open();
      expect(fresh.parallelSlices).toBe(4);
      await fresh.close();
      double.version = '1.18.3';
      const older = connect();
      jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
      await older.open();
      expect(older.parallelSlices).toBe(1);
      await expect(older.scroll(COLLECTION, { limit: 5, slice: { total: 2, index: 0 } })).rejects.toMatchObject({ kind: 'rejected' });
      await older.close();
      jest.restoreAllMocks();
    });
  });

  describe('large calls', () => {
    it('splits by count, one filter and one fence per request', async () => {
      await store.upsert(
        COLLECTION,
        Array.from({ length: 300 }, (_, n) => pointOf(n + 10)),
      );
      const upserts = double.requests.filter(({ line }) => UPSERT.test(line));
      expect(upserts.map(({ body }) => (body['points'] as unknown[]).length)).toEqual([128, 128, 44]);
      expect(upserts.map(({ body }) => (body['update_filter'] as { should: unknown[] }).should.length)).toEqual([129, 129, 45]);
      await expect(store.count(COLLECTION)).resolves.toBe(301);
    });

    it('splits by bytes, below the 32 MiB that the server takes', async () => {
      const note = 'x'.repeat(9 * 1024 * 1024);
      await store.upsert(COLLECTION, [pointOf(11, 1, note), pointOf(12, 1, note), pointOf(13, 1, note), pointOf(14, 1, note)]);
      expect(requestsTo(UPSERT)).toBe(2);
      await expect(store.count(COLLECTION)).resolves.toBe(5);
    });

    it('splits deletes', async () => {
      const ids = Array.from({ length: 300 }, (_, n) => n + 10);
      await store.upsert(
        COLLECTION,
        ids.map((n) => pointOf(n)),
      );
      await store.delete(
        COLLECTION,
        ids.map((n) => ({ id: idOf(n), rev: 2 })),
      );
      expect(requestsTo(/points\/delete/)).toBe(3);
      await expect(store.count(COLLECTION)).resolves.toBe(1);
    });

    it('sends nothing when one of many points is bad', async () => {
      const points = Array.from({ length: 300 }, (_, n) => pointOf(n + 10));
      await expect(store.upsert(COLLECTION, [...points, pointOf(999, 0)])).rejects.toMatchObject({ kind: 'invalid-point' });
      expect(double.requests).toHaveLength(0);
    });
  });

  describe('the server', () => {
    let warnings: jest.SpyInstance;
    beforeEach(() => (warnings = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined)));
    afterEach(() => warnings.mockRestore());

    it('is refused when it is too old, at open and at every use', async () => {
      double.version = '1.17.1';
      const other = connect();
      await expect(other.open()).rejects.toMatchObject({ kind: 'rejected', message: expect.stringContaining('1.18 or later is needed') });
      double.requests.length = 0;
      await expect(other.upsert(COLLECTION, [pointOf(9)])).rejects.toMatchObject({ kind: 'rejected' });
      expect(requestsTo(UPSERT)).toBe(0);
      await other.close();
    });

    it('tells its runs apart when it is 1.18, which may undo writes when it starts', async () => {
      expect(await store.unprovenRun()).toBeNull();
      double.version = '1.18.3';
      const other = connect();
      const run = await other.unprovenRun();
      expect(Date.parse(run!)).not.toBeNaN();
      expect(await other.unprovenRun()).toBe(run);
      double.inject({ kind: 'status', status: 403, message: 'Global access is required' }, { on: /telemetry/ });
      expect(await other.unprovenRun()).toBeNull();
      await other.close();
    });

    it('is taken with one warning when it is 1.18', async () => {
      double.version = '1.18.3';
      const other = connect();
      await other.open();
      await other.ping();
      await other.count(COLLECTION);
      expect(warnings).toHaveBeenCalledTimes(1);
      expect(warnings).toHaveBeenCalledWith(expect.stringMatching(/Qdrant 1\.18\.3: works, but after a restart/));
      await other.close();
    });

    it('is taken silently from 1.19 on', async () => {
      const other = connect();
      await other.open();
      expect(warnings).not.toHaveBeenCalled();
      await other.close();
    });

    it('is asked for its version once, however many calls follow', async () => {
      await search();
      await search();
      await store.count(COLLECTION);
      expect(requestsTo(/^GET \/$/)).toBe(0);
    });

    it('is refused again when an older one has taken its place', async () => {
      double.version = '1.16.0';
      await expect(store.ping()).rejects.toMatchObject({ kind: 'rejected' });
      await expect(search()).rejects.toMatchObject({ kind: 'rejected' });
    });

    it('may be away at open: the first call that gets through makes the check', async () => {
      const port = Number(new URL(double.url).port);
      const url = double.url;
      await double.stop();
      const other = new QdrantVectorStore({ url, apiKey: null, searchTimeoutMs: 5_000, writeTimeoutMs: 5_000 });
      await expect(other.open()).rejects.toMatchObject({ kind: 'unavailable' });
      double.version = '1.16.0';
      await double.start(port);
      await expect(other.count(COLLECTION)).rejects.toMatchObject({ kind: 'rejected' });
      double.version = '1.19.2';
      await expect(other.count(COLLECTION)).resolves.toBe(1);
      await expect(other.ping()).resolves.toEqual({ source: 'qdrant', version: '1.19.2', collectionsCount: 1 });
      await other.close();
    });

    it('is found behind a path, and gets the key without a warning on the console', async () => {
      const guarded = new QdrantDouble({ apiKey: 'secret-key', prefix: '/index/qdrant' });
      const url = await guarded.start();
      const console_ = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
      const [friend, stranger] = ['secret-key', 'wrong'].map((apiKey) => connect({ url, apiKey }));
      await friend!.open();
      const error = await stranger!.open().catch((reason: unknown) => reason as Error);
      expect(error).toMatchObject({ kind: 'rejected', message: expect.stringContaining('401') });
      expect(String((error as Error).message)).not.toContain('wrong');
      expect(console_).not.toHaveBeenCalled();
      console_.mockRestore();
      await Promise.all([friend!.close(), stranger!.close()]);
      await guarded.stop();
    });
  });

  describe('collections', () => {
    it('are refused when the vector has another name or distance', async () => {
      const put = (name: string, vectors: object): Promise<Response> =>
        fetch(`${double.url}/collections/${name}`, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ vectors }),
        });
      await put('unnamed', { size: 4, distance: 'Cosine' });
      await put('other_name', { title: { size: 4, distance: 'Cosine' } });
      await put('other_distance', { text: { size: 4, distance: 'Dot' } });
      for (const name of ['unnamed', 'other_name', 'other_distance']) {
        await expect(store.ensureIndex({ name, dimensions: 4, payloadIndexes: [], metadata: {} })).rejects.toMatchObject({
          kind: 'dimension-mismatch',
        });
      }
    });

    it('get their payload indexes before the first point, and those that are missing later', async () => {
      double.inject({ kind: 'status', status: 500 }, { on: /\/index\?/ });
      const spec = { name: 'half', dimensions: 4, payloadIndexes: [{ field: 'price', type: 'float' }], metadata: {} } as const;
      await expect(store.ensureIndex(spec)).rejects.toMatchObject({ kind: 'unavailable' });
      await expect(store.ensureIndex(spec)).resolves.toBe(false);
      const fields = double.requests
        .filter(({ line }) => line.startsWith('PUT /collections/half/index'))
        .map(({ body }) => body['field_name']);
      expect(fields.filter((field) => field !== undefined)).toEqual(['rev', 'bucket', 'price']);
    });
  });

  it('is not asked for indexes that it has', async () => {
    const spec = { name: COLLECTION, dimensions: 4, payloadIndexes: [{ field: 'note', type: 'keyword' }], metadata: {} } as const;
    await expect(store.ensureIndex(spec)).resolves.toBe(false);
    expect(double.requests.map(({ line }) => line)).toEqual([`GET /collections/${COLLECTION}`]);
  });

  it('ends a scroll behind the last UUID there is', async () => {
    const last = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
    await expect(store.scroll(COLLECTION, { after: last, limit: 5 })).resolves.toEqual({ points: [], next: null });
    await expect(store.scroll('absent', { after: last, limit: 5 })).rejects.toMatchObject({ kind: 'collection-missing' });
  });

  it('returns integers beyond 2^53 of another writer as numbers', async () => {
    double.inject(
      {
        kind: 'reply',
        status: 200,
        contentType: 'application/json',
        body: `{"result":[{"id":"${idOf(7)}","payload":{"huge":9007199254740993}}]}`,
      },
      { on: /POST .*\/points\?/ },
    );
    const [stored] = await store.retrieve(COLLECTION, [idOf(7)]);
    expect(typeof stored!.payload['huge']).toBe('number');
  });
});
