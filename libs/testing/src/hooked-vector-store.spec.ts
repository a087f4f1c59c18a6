import { HookedVectorStore } from './hooked-vector-store.js';
import { describeVectorStoreContract } from './vector-store-contract/index.js';

describeVectorStoreContract('HookedVectorStore', async () => ({ store: new HookedVectorStore(), cleanup: async () => undefined }));
