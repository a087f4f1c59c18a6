import { FakeVectorStore } from './fake-vector-store.js';
import { describeVectorStoreContract } from './vector-store-contract/index.js';

describeVectorStoreContract('FakeVectorStore', async () => ({ store: new FakeVectorStore(), cleanup: async () => undefined }));

describeVectorStoreContract('FakeVectorStore with slices', async () => {
  const store = new FakeVectorStore();
  store.sliceScrolls(4);
  return { store, cleanup: () => Promise.resolve() };
});
