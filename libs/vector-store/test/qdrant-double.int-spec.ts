import { describeVectorStoreContract, QdrantDouble } from '#testing';
import { QdrantVectorStore } from '#vector-store';

describeVectorStoreContract('QdrantVectorStore on a double of Qdrant', async () => {
  const double = new QdrantDouble();
  const store = new QdrantVectorStore({ url: await double.start(), apiKey: null, searchTimeoutMs: 10_000, writeTimeoutMs: 60_000 });
  return { store, cleanup: () => double.stop() };
});
