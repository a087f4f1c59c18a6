import { Logger } from '@nestjs/common';
import { QdrantDouble } from '#testing';
import { QdrantVectorStore, type QdrantVectorStoreOptions, type VectorPoint } from '#vector-store';

const COLLECTION = 'faults';
const UPSERT = /^PUT .*\/points\?/;
const QUERY = /\/points\/query/;
const idOf = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
const AXIS = Float32Array.of(1, 0, 0, 0);

function pointOf(n: number, rev = 1, note = ''): VectorPoint {
  return {
    id: idOf(n),
    vector: AXIS,
    payload: { rev, text_hash: 'a', payload_hash: 'b', model_rev: 'c', bucket: idOf(n).slice(-2), note },
  };
}

describe('QdrantVectorStore when things go wrong (on a double of Qdrant)', () => {
  let double: QdrantDouble;
  let store: QdrantVectorStore;

  const connect = (overrides: Partial<QdrantVectorStoreOptions> = {}): QdrantVectorStore =>
    new QdrantVectorStore({ url: double.url, apiKey: null, searchTimeoutMs: 5_000, writeTimeoutMs: 5_000, ...overrides });
  const requestsTo = (line: RegExp): number => double.requests.filter((request) => line.test(request.line)).length;
  const search = (timeoutMs?: number, signal?: AbortSignal): Promise<unknown> =>
    store.query(COLLECTION, { vector: AXIS, limit: 3 }, { timeoutMs, signal });

  beforeEach(async () => {
    double = new QdrantDouble();
    await double.start();
    store = connect();
    await store.ensureIndex({ name: COLLECTION, dimensions: 4, payloadIndexes: [{ field: 'note', type: 'keyword' }], metadata: {} });
    await store.upsert(COLLECTION, [pointOf(1, 5)]);
    double.requests.length = 0;
  });

  afterEach(async () => {
    await store.close();
    await double.stop();
  });

  describe('connections', () => {
    it('sends a request once more when its connection breaks', async () => {
      double.inject({ kind: 'reset' }, { on: QUERY });
      await expect(search()).resolves.toHaveLength(1);
      expect(requestsTo(QUERY)).toBe(2);
    });

    it('sends a write once more when its reply is lost after it was applied', async () => {
      double.inject({ kind: 'drop-reply' }, { on: UPSERT });
      await store.upsert(COLLECTION, [pointOf(1, 6, 'newer')]);
      expect(requestsTo(UPSERT)).toBe(2);
      await expect(store.retrieve(COLLECTION, [idOf(1)])).resolves.toEqual([
        expect.objectContaining({ payload: expect.objectContaining({ rev: 6, note: 'newer' }) }),
      ]);
    });

    it('does not try a third time', async () => {
      double.inject({ kind: 'reset' }, { on: QUERY, times: 5 });
      await expect(search()).rejects.toMatchObject({
        kind: 'unavailable',
        message: expect.stringMatching(/could not be reached to search \(\w+\)/),
      });
      expect(requestsTo(QUERY)).toBe(2);
    });

    it('does not repeat what a server refused', async () => {
      double.inject({ kind: 'status', status: 500 }, { on: QUERY });
      await expect(search()).rejects.toMatchObject({ kind: 'unavailable' });
      expect(requestsTo(QUERY)).toBe(1);
    });

    it('is unavailable while nobody listens, and works again afterwards without a restart', async () => {
      const port = Number(new URL(double.url).port);
      await double.stop();
      await expect(search()).rejects.toMatchObject({ kind: 'unavailable' });
      await double.start(port);
      await expect(search()).resolves.toHaveLength(1);
    });

    it('fails what is under way when it is closed', async () => {
      const held = double.inject({ kind: 'hold' }, { on: QUERY });
      const outcome = expect(search()).rejects.toMatchObject({
        kind: 'unavailable',
        message: expect.stringContaining('the store was closed'),
      });
      await held.met;
      await store.close();
      await outcome;
      held.release();
    });

    it('lets go of its sockets when it is closed, and opens new ones for a later call', async () => {
      await search();
      await expect(double.openConnections()).resolves.toBeGreaterThan(0);
      await store.close();
      await until(async () => (await double.openConnections()) === 0);
      await expect(search()).resolves.toHaveLength(1);
    });
  });

  describe('time and signals', () => {
    it('gives up after the budget of a search', async () => {
      const held = double.inject({ kind: 'hold' }, { on: QUERY });
      const impatient = connect({ searchTimeoutMs: 100 });
      const query = impatient.query(COLLECTION, { vector: AXIS, limit: 1 });
      await expect(query).rejects.toMatchObject({ kind: 'unavailable', message: 'Gave up to search: no answer within 100 ms' });
      held.release();
      await impatient.close();
    });

    it('lets the budget of the call go before its own', async () => {
      const held = double.inject({ kind: 'hold' }, { on: QUERY });
      await expect(search(50)).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringContaining('within 50 ms') });
      held.release();
    });

    it('honours a signal although there is a budget as well', async () => {
      const held = double.inject({ kind: 'hold' }, { on: QUERY });
      const abort = new AbortController();
      const outcome = expect(search(60_000, abort.signal)).rejects.toMatchObject({
        kind: 'unavailable',
        message: expect.stringContaining('the caller gave up'),
      });
      await held.met;
      abort.abort();
      await outcome;
      held.release();
    });

    it('sends nothing when the signal has fired before', async () => {
      await expect(search(undefined, AbortSignal.abort())).rejects.toMatchObject({ kind: 'unavailable' });
      expect(double.requests).toHaveLength(0);
    });

    it('keeps no listener on a signal that outlives the call', async () => {
      const abort = new AbortController();
      const remove = jest.spyOn(abort.signal, 'removeEventListener');
      const add = jest.spyOn(abort.signal, 'addEventListener');
      await search(undefined, abort.signal);
      expect(remove.mock.calls.length).toBe(add.mock.calls.length);
    });

    it('lets the server give up first: whole seconds, at least one', async () => {
      await search(10_000);
      await search(2_000);
      await search(500);
      await store.upsert(COLLECTION, [pointOf(2)], { timeoutMs: 10_000 });
      const seconds = double.requests.map(({ line }) => new URLSearchParams(line.split('?')[1]).get('timeout'));
      // The first one of each pair may lose a fraction to the time already spent: 8 s of 10, so 7 whole ones.
      expect(seconds.map(Number)).toEqual([7, 1, 1, 7]);
    });

    it('can be late: a write that was given up may still be applied', async () => {
      const held = double.inject({ kind: 'hold' }, { on: UPSERT });
      await expect(store.upsert(COLLECTION, [pointOf(3)], { timeoutMs: 50 })).rejects.toMatchObject({ kind: 'unavailable' });
      held.release();
      // The double answers in order of arrival at its state: a read after the release finds it.
      await until(async () => (await store.count(COLLECTION)) === 2);
    });
  });

  describe('writes that are not completed', () => {
    it.each([
      ['wait_timeout', true],
      ['wait_timeout', false],
      ['acknowledged', true],
    ] as const)('takes "%s" for no success (applied: %s)', async (status, isApplied) => {
      double.inject({ kind: 'update-status', status, isApplied }, { on: UPSERT });
      await expect(store.upsert(COLLECTION, [pointOf(2)])).rejects.toMatchObject({
        kind: 'unavailable',
        message: expect.stringContaining(`"${status}"`),
      });
    });

    it('also for deletes and payload indexes', async () => {
      double.inject({ kind: 'update-status', status: 'wait_timeout', isApplied: true }, { on: /points\/delete/ });
      await expect(store.delete(COLLECTION, [{ id: idOf(1), rev: 9 }])).rejects.toMatchObject({ kind: 'unavailable' });
      double.inject({ kind: 'update-status', status: 'acknowledged', isApplied: false }, { on: /\/index\?/ });
      await expect(store.ensureIndex({ name: 'other', dimensions: 4, payloadIndexes: [], metadata: {} })).rejects.toMatchObject({
        kind: 'unavailable',
      });
    });

    it('asks every write to wait', async () => {
      await store.upsert(COLLECTION, [pointOf(2)]);
      await store.delete(COLLECTION, [{ id: idOf(2), rev: 9 }]);
      await store.ensureIndex({ name: 'other', dimensions: 4, payloadIndexes: [{ field: 'x', type: 'float' }], metadata: {} });
      await store.snapshot(COLLECTION);
      const writes = double.requests.filter(({ line }) => /points\?|delete\?|index\?|snapshots/.test(line));
      expect(writes).toHaveLength(6);
      for (const { line } of writes) expect(line).toContain('wait=true');
    });

    it('takes 202 and pages of proxies for no answer', async () => {
      double.inject({ kind: 'reply', status: 202, contentType: 'application/json', body: '{"status":"accepted"}' }, { on: UPSERT });
      await expect(store.upsert(COLLECTION, [pointOf(2)])).rejects.toMatchObject({ kind: 'unavailable' });
      double.inject({ kind: 'reply', status: 200, contentType: 'text/html', body: '<html>Welcome</html>' }, { on: UPSERT });
      await expect(store.upsert(COLLECTION, [pointOf(2)])).rejects.toMatchObject({ kind: 'unavailable' });
    });
  });

  describe('throttling', () => {
    it.each([
      [429, '30', 30_000],
      [429, undefined, undefined],
      [503, '12', 12_000],
      [507, undefined, undefined],
    ])('%i with Retry-After %s', async (status, retryAfter, retryAfterMs) => {
      double.inject({ kind: 'status', status, retryAfter, message: 'Slow down' }, { on: UPSERT });
      const outcome = store.upsert(COLLECTION, [pointOf(2)]);
      await expect(outcome).rejects.toMatchObject({
        kind: 'throttled',
        message: expect.stringContaining('Slow down'),
        options: { retryAfterMs },
      });
      expect(requestsTo(UPSERT)).toBe(1);
    });

    it('reads a date in Retry-After', async () => {
      double.inject({ kind: 'status', status: 429, retryAfter: new Date(Date.now() + 60_000).toUTCString() }, { on: QUERY });
      const error = await search().catch((reason: unknown) => reason as { options: { retryAfterMs: number } });
      expect((error as { options: { retryAfterMs: number } }).options.retryAfterMs).toBeGreaterThan(50_000);
    });

    it('takes 503 without Retry-After for an outage', async () => {
      double.inject({ kind: 'status', status: 503 }, { on: UPSERT });
      await expect(store.upsert(COLLECTION, [pointOf(2)])).rejects.toMatchObject({ kind: 'unavailable' });
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

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    if (await condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('The condition did not come true');
}
