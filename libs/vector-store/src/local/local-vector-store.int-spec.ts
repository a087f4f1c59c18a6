import { Logger } from '@nestjs/common';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeVectorStoreContract } from '#testing';
import { LocalVectorStore } from './local-vector-store.js';

beforeAll(() => Logger.overrideLogger(false));

describeVectorStoreContract('LocalVectorStore', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kindred-local-'));
  return { store: new LocalVectorStore({ folder }), cleanup: () => rm(folder, { recursive: true, force: true }) };
});

describeVectorStoreContract('LocalVectorStore that answers from its graph', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kindred-local-'));
  return { store: new LocalVectorStore({ folder, exactLimit: 4 }), cleanup: () => rm(folder, { recursive: true, force: true }) };
});

describe('LocalVectorStore', () => {
  it('lists its collections, also those of an earlier process', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kindred-local-'));
    const open = async () => {
      const store = new LocalVectorStore({ folder });
      await store.open();
      return store;
    };
    const first = await open();
    await expect(first.listCollections()).resolves.toEqual([]);
    for (const name of ['a', 'b', 'c']) await first.ensureIndex({ name, dimensions: 2, payloadIndexes: [], metadata: {} });
    await first.drop('b');
    await first.close();
    const second = await open();
    expect((await second.listCollections()).sort()).toEqual(['a', 'c']);
    await second.close();
    await rm(folder, { recursive: true, force: true });
  });
});
