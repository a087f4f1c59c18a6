import { describeVectorStoreContract, FakeVectorStore } from '#testing';
import { CountedVectorStore } from './counted-vector-store.js';
import { StoreCalls } from './store-calls.js';
import { VectorStoreError } from './vector-store-error.js';

describeVectorStoreContract('CountedVectorStore', async () => {
  const store = new FakeVectorStore();
  store.sliceScrolls(4);
  return { store: new CountedVectorStore(store, new StoreCalls()), cleanup: () => Promise.resolve() };
});

describe('CountedVectorStore', () => {
  let inner: FakeVectorStore;
  let calls: StoreCalls;
  let store: CountedVectorStore;

  beforeEach(() => {
    inner = new FakeVectorStore();
    calls = new StoreCalls();
    store = new CountedVectorStore(inner, calls);
  });

  const outcomes = () =>
    calls.entries().map(({ labels, durations }) => [labels.operation, labels.outcome, durations.counts.reduce((a, b) => a + b)]);

  it('counts what is asked by operation and by how it ended', async () => {
    await store.ping();
    await store.ping();
    await store.info('nowhere');
    await expect(store.query('nowhere', { vector: new Float32Array([1]), limit: 1 })).rejects.toMatchObject({ kind: 'collection-missing' });
    inner.failWith(new VectorStoreError('unavailable', 'refused'));
    await expect(store.info('nowhere')).rejects.toMatchObject({ kind: 'unavailable' });
    const given = new AbortController();
    given.abort();
    await expect(store.info('nowhere', { signal: given.signal })).rejects.toThrow();
    expect(outcomes()).toEqual([
      ['ping', 'ok', 2],
      ['info', 'ok', 1],
      ['query', 'collection-missing', 1],
      ['info', 'unavailable', 1],
      ['info', 'abandoned', 1],
    ]);
  });
});
