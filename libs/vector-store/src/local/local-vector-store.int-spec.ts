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
