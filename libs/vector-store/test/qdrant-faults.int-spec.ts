import { AXIS, COLLECTION, idOf, pointOf, QdrantFixture, QUERY, until, UPSERT } from './qdrant-fixture.js';

describe('QdrantVectorStore when things go wrong (on a double of Qdrant)', () => {
  let fixture: QdrantFixture;
  let double: QdrantFixture['double'];
  let store: QdrantFixture['store'];
  const connect = (...options: Parameters<QdrantFixture['connect']>): QdrantFixture['store'] => fixture.connect(...options);
  const requestsTo = (line: RegExp): number => fixture.requestsTo(line);
  const search = (timeoutMs?: number, signal?: AbortSignal): Promise<unknown> => fixture.search(timeoutMs, signal);

  beforeEach(async () => {
    fixture = new QdrantFixture();
    await fixture.start();
    ({ double, store } = fixture);
  });

  afterEach(() => fixture.stop());

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
});
