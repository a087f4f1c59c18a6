import { describeVectorStoreContract } from '#testing';
import { QdrantVectorStore } from '#vector-store';

const url = process.env['TEST_QDRANT_URL'];

if (url === undefined || url === '') {
  describe.skip('QdrantVectorStore on a real server: SKIPPED, because TEST_QDRANT_URL is not set', () => {
    it('runs the contract on the server that TEST_QDRANT_URL names (npm run test:qdrant)', () => undefined);
  });
} else {
  const options = { url, apiKey: process.env['TEST_QDRANT_API_KEY'] ?? null, searchTimeoutMs: 10_000, writeTimeoutMs: 60_000 };

  describeVectorStoreContract('QdrantVectorStore on a real server', async () => ({
    store: new QdrantVectorStore(options),
    cleanup: () => Promise.resolve(),
  }));
}
