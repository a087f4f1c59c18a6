import { Test } from '@nestjs/testing';
import { ConfigModule, loadConfig, type Environment } from '#config';
import { RuntimeModule } from '#observability';
import { DirectSearchStore } from './failover/direct-search-store.js';
import { FailoverVectorStore } from './failover/failover-vector-store.js';
import { SearchReplica } from './failover/search-replica.js';
import { SearchStore } from './failover/search-store.js';
import { StoreCalls } from './store-calls.js';
import { VectorStoreModule } from './vector-store.module.js';
import { VectorStore } from './vector-store.js';

async function moduleFor(environment: Environment) {
  return Test.createTestingModule({ imports: [ConfigModule.forRoot(loadConfig(environment)), RuntimeModule, VectorStoreModule] }).compile();
}

describe('VectorStoreModule', () => {
  it('provides the local store by default, and does not open it', async () => {
    const app = await moduleFor({ DATA_DIR: '/nowhere' });
    const store = app.get(VectorStore);
    expect(store.source).toBe('local');
    await app.init();
    await expect(store.ping()).rejects.toMatchObject({ kind: 'unavailable' });
    expect(app.get(StoreCalls).entries()).toMatchObject([{ labels: { operation: 'ping', outcome: 'unavailable' } }]);
    await app.close();
  });

  it('provides the Qdrant store when a server is named', async () => {
    const app = await moduleFor({ QDRANT_URL: 'http://127.0.0.1:1' });
    expect(app.get(VectorStore).source).toBe('qdrant');
    await app.close();
  });

  it.each([
    [{ DATA_DIR: '/nowhere' }, DirectSearchStore, false],
    [{ QDRANT_URL: 'http://127.0.0.1:1', DATA_DIR: '/nowhere' }, FailoverVectorStore, true],
    [{ QDRANT_URL: 'http://127.0.0.1:1', VECTOR_FALLBACK: 'none' }, FailoverVectorStore, false],
  ])('with %j searches through what the configuration asks for', async (environment, type, hasReplica) => {
    const app = await moduleFor(environment);
    expect(app.get(SearchStore)).toBeInstanceOf(type);
    expect(app.get(SearchReplica) !== null).toBe(hasReplica);
    await app.close();
  });

  it('closes the store when the application shuts down', async () => {
    const app = await moduleFor({ DATA_DIR: '/nowhere' });
    const close = jest.spyOn(app.get(VectorStore), 'close');
    await app.init();
    await app.close();
    expect(close).toHaveBeenCalledTimes(1);
  });
});
