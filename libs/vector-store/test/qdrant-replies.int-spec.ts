import { VectorStoreError, type QdrantVectorStore } from '#vector-store';
import { AXIS, COLLECTION, idOf, pointOf, QdrantFixture } from './qdrant-fixture.js';

const QUERY = { vector: AXIS, limit: 2 };
const SPEC = { name: COLLECTION, dimensions: 4, payloadIndexes: [], metadata: {} };
const scored = { id: idOf(1), version: 1, score: 0.5 };
const record = { id: idOf(1), payload: { rev: 1 }, vector: { text: [1, 0, 0, 0] } };
const info = { status: 'green', points_count: 1, indexed_vectors_count: 0, payload_schema: {}, config: { params: { vectors: {} } } };

/** No result of any call. */
const NEVER: readonly unknown[] = [null, 7, -1, 1e300, 'x', '', '<html>', [[]], [null], [7], ['x']];
const NO_LIST: readonly unknown[] = [undefined, null, 7, 'x', {}, { 0: scored, length: 1 }, [null], [7], ['x'], [[]], [{}]];
const NO_ID: readonly unknown[] = [undefined, null, true, {}, [], [idOf(1)]];
const NO_NUMBER: readonly unknown[] = [undefined, null, '1', 'NaN', true, {}, [1]];

const badPoints = (): unknown[] => [
  ...NO_LIST,
  ...NO_ID.map((id) => [{ ...scored, id }]),
  ...NO_NUMBER.map((score) => [scored, { ...scored, score }]),
  // More than was asked for.
  [scored, scored, scored],
];
const badRecords = (): unknown[] => [
  ...NO_LIST,
  ...NO_ID.map((id) => [{ ...record, id }]),
  ...[7, 'x', true, [], [1]].map((payload) => [{ ...record, payload }]),
  ...['x', 7, true, [1, 0], { text: 'AACAPw' }, { text: null }, { text: [1, null] }, { text: ['1'] }, { text: [[1]] }].map((vector) => [
    { ...record, vector },
  ]),
];
const badCounts: readonly unknown[] = [...NO_NUMBER, -1, 0.5, 1e300];

interface Call {
  readonly to: RegExp;
  readonly call: (store: QdrantVectorStore) => Promise<unknown>;
  readonly results: readonly unknown[];
}

const CALLS: Readonly<Record<string, Call>> = {
  query: { to: /\/points\/query\?/, call: (store) => store.query(COLLECTION, QUERY), results: badPoints().map((points) => ({ points })) },
  queryBatch: {
    to: /\/points\/query\/batch/,
    call: (store) => store.queryBatch(COLLECTION, [QUERY, QUERY]),
    results: [
      [],
      [{ points: [] }],
      [{ points: [] }, { points: [] }, { points: [] }],
      ...badPoints().map((points) => [{ points: [] }, { points }]),
    ],
  },
  recommend: {
    to: /\/points\/query\?/,
    call: (store) => store.recommend(COLLECTION, { positive: [idOf(2)], limit: 2 }),
    results: badPoints().map((points) => ({ points })),
  },
  scroll: {
    to: /\/points\/scroll/,
    call: (store) => store.scroll(COLLECTION, { limit: 1, hasVectors: true }),
    results: [
      ...badRecords().map((points) => ({ points, next_page_offset: null })),
      { points: [record, record] },
      ...[true, {}, []].map((next) => ({ points: [record], next_page_offset: next })),
    ],
  },
  retrieve: {
    to: /POST \/collections\/faults\/points\?/,
    call: (store) => store.retrieve(COLLECTION, [idOf(1)], { hasVectors: true }),
    results: [...badRecords(), [{ ...record, id: idOf(2) }], [record, record]],
  },
  count: { to: /\/points\/count/, call: (store) => store.count(COLLECTION), results: badCounts.map((count) => ({ count })) },
  countByBucket: {
    to: /\/facet/,
    call: (store) => store.countByBucket(COLLECTION),
    results: [
      ...NO_LIST.map((hits) => ({ hits })),
      ...badCounts.map((count) => ({ hits: [{ value: '01', count }] })),
      ...[null, {}, []].map((value) => ({ hits: [{ value, count: 1 }] })),
    ],
  },
  info: {
    to: /GET \/collections\/faults$/,
    call: (store) => store.info(COLLECTION),
    results: [
      {},
      ...[undefined, null, 7, 'x', [], { params: null }, { params: [] }].map((config) => ({ ...info, config })),
      ...[undefined, 7, null].map((status) => ({ ...info, status })),
      ...[-1, '1', 0.5].flatMap((count) => [
        { ...info, points_count: count },
        { ...info, indexed_vectors_count: count },
      ]),
      { ...info, payload_schema: null },
    ],
  },
  ensureIndex: { to: /GET \/collections\/faults$/, call: (store) => store.ensureIndex(SPEC), results: [{}, { config: {} }] },
  upsert: {
    to: /PUT .*\/points\?/,
    call: (store) => store.upsert(COLLECTION, [pointOf(1, 9)]),
    results: [{}, { status: null }, { status: 'queued' }, { status: true }, { status: ['completed'] }],
  },
  delete: {
    to: /\/points\/delete/,
    call: (store) => store.delete(COLLECTION, [{ id: idOf(1), rev: 9 }]),
    results: [{}, { status: 7 }, { status: 'ok' }],
  },
  setAlias: { to: /\/collections\/aliases/, call: (store) => store.setAlias('a', COLLECTION), results: [{}, []] },
  getAlias: { to: /\/aliases/, call: (store) => store.getAlias('a'), results: NO_LIST.map((aliases) => ({ aliases })) },
  drop: { to: /DELETE/, call: (store) => store.drop(COLLECTION), results: [{}, []] },
  ping: { to: /GET \/collections$/, call: (store) => store.ping(), results: [{}, { collections: null }, { collections: 3 }] },
};

/** A reply that is no answer, whatever was asked: none of these is JSON, or of the shape that all replies have. */
const BODIES: readonly [string, string][] = [
  ['text/html', '<html>Sign in</html>'],
  ['application/json', '<html>Bad Gateway</html>'],
  ['application/json', ''],
  ['application/json', '{"result":{"points":[{"id"'],
  ['application/json', 'null'],
  ['application/json', '[]'],
  ['application/json', '7'],
  ['application/json', '{}'],
  ['application/json', '{"status":"ok","time":0}'],
  ['text/plain', 'ok'],
];

describe('QdrantVectorStore, what it does not believe', () => {
  let fixture: QdrantFixture;
  beforeEach(async () => {
    fixture = new QdrantFixture();
    await fixture.start();
    await fixture.store.ping();
  });
  afterEach(() => fixture.stop());

  it.each(Object.entries(CALLS))('%s takes no reply that is not one', async (name, { to, call, results }) => {
    const bodies: [string, string][] = [
      ...BODIES,
      ...[...NEVER, ...results].map((result): [string, string] => ['application/json', JSON.stringify({ result, status: 'ok', time: 0 })]),
    ];
    for (const [contentType, body] of bodies) {
      const asked = fixture.requestsTo(to);
      fixture.double.inject({ kind: 'reply', status: 200, contentType, body }, { on: to });
      const outcome = await call(fixture.store).then(
        (value) => `gave ${JSON.stringify(value)}`,
        (error: unknown) => (error instanceof VectorStoreError ? error.kind : String(error)),
      );
      expect([name, body, outcome]).toEqual([name, body, 'unavailable']);
      expect(fixture.requestsTo(to)).toBe(asked + 1);
    }
    fixture.double.clearFaults();
    // Nothing of it was done, and the store is as good as before.
    expect((await fixture.store.retrieve(COLLECTION, [idOf(1)]))[0]!.payload.rev).toBe(5);
  });

  it.each(['null', '[]', '7', '{}', '{"version":7}', '{"version":null}', '{"version":"<html>"}', '{"version":"1.19"}'])(
    'takes no version from %s',
    async (body) => {
      const store = fixture.connect();
      fixture.double.inject({ kind: 'reply', status: 200, contentType: 'application/json', body }, { on: /GET \/$/ });
      await expect(store.ping()).rejects.toMatchObject({
        name: 'VectorStoreError',
        kind: expect.stringMatching(/^(rejected|unavailable)$/),
      });
      await expect(store.ping()).resolves.toMatchObject({ version: '1.19.0' });
      await store.close();
    },
  );

  it('was shown more than 200 of them', () => {
    const shown = Object.values(CALLS).map(({ results }) => results.length + NEVER.length + BODIES.length);
    expect(shown.reduce((sum, count) => sum + count)).toBeGreaterThan(400);
  });
});
