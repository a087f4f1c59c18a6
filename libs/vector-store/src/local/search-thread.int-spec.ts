import type { Worker } from 'node:worker_threads';
import { Logger } from '@nestjs/common';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VectorPoint } from '../vector-store.js';
import { LocalVectorStore } from './local-vector-store.js';

let folder: string;
let store: LocalVectorStore;

beforeAll(() => Logger.overrideLogger(false));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kindred-thread-'));
  store = new LocalVectorStore({ folder });
});

afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

function pointOf(n: number): VectorPoint {
  const payload = { rev: 1, text_hash: 't', payload_hash: 'p', model_rev: 'm', bucket: '00' };
  return { id: `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`, vector: Float32Array.of(1, 0), payload };
}

const SPEC = { name: 'c', dimensions: 2, payloadIndexes: [], metadata: {} };

/**
 * Ends the thread behind the store's back, as a crash would: by a message that it cannot read. (Terminating it inside native code would end the whole
 * process, and is not to be had at a chosen moment.)
 */
async function killThread(target: LocalVectorStore): Promise<void> {
  const { worker } = target['thread']! as unknown as { worker: Worker };
  const hasExited = new Promise((resolve) => worker.once('exit', resolve));
  worker.postMessage(null);
  await hasExited;
}

describe('the search thread', () => {
  it('answers nothing before it is opened and after it is closed', async () => {
    await expect(store.ping()).rejects.toMatchObject({ kind: 'unavailable' });
    await store.open();
    await expect(store.ping()).resolves.toEqual({ source: 'local', version: null, collectionsCount: 0 });
    await store.close();
    await store.close();
    await expect(store.ping()).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('is started once by callers who open at the same time', async () => {
    await Promise.all([store.open(), store.open()]);
    await store.ensureIndex(SPEC);
    await store.open();
    await expect(store.count('c')).resolves.toBe(0);
  });

  it('can be closed while it opens', async () => {
    const opening = store.open();
    await store.close();
    await opening;
    await expect(store.ping()).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('can be opened again after it was closed', async () => {
    await store.open();
    await store.ensureIndex(SPEC);
    await store.upsert('c', [pointOf(1)]);
    await store.close();
    await store.open();
    await expect(store.count('c')).resolves.toBe(1);
  });
});

describe('the death of the search thread', () => {
  it('fails the calls that wait, says so to the listeners, and refuses calls until it is opened again', async () => {
    const causes: Error[] = [];
    const unsubscribed: Error[] = [];
    store.onLost((cause) => causes.push(cause));
    store.onLost((cause) => unsubscribed.push(cause))();
    await store.open();
    await store.ensureIndex(SPEC);
    await store.upsert('c', [pointOf(1)]);
    await store.snapshot('c');
    await store.upsert('c', [pointOf(2)]);

    const death = killThread(store);
    // Sent while the thread still seems alive: it waits behind the message that ends it.
    await expect(store.snapshot('c')).rejects.toMatchObject({ kind: 'unavailable' });
    await death;
    expect(causes).toHaveLength(1);
    expect(unsubscribed).toHaveLength(0);
    await expect(store.count('c')).rejects.toMatchObject({ kind: 'unavailable' });

    await store.open();
    const { points } = await store.scroll('c', { limit: 10 });
    // The point that was written after the snapshot may be gone: only the ledger knows it.
    expect(points.map(({ id }) => id)).toContain(pointOf(1).id);
    expect(causes).toHaveLength(1);
  });

  it('is no loss when the store is closed', async () => {
    const causes: Error[] = [];
    store.onLost((cause) => causes.push(cause));
    await store.open();
    await store.close();
    expect(causes).toHaveLength(0);
  });
});

describe('calls to the search thread', () => {
  beforeEach(async () => {
    await store.open();
    await store.ensureIndex(SPEC);
    await store.upsert('c', [pointOf(1)]);
  });

  it('give up when their time is over, and ignore the late answer', async () => {
    // A scan of this length does not end within a millisecond; the budget is spent before the thread has even read the message.
    await store.upsert(
      'c',
      Array.from({ length: 20_000 }, (_, n) => pointOf(n + 2)),
    );
    const slow = store.scroll('c', { limit: 20_000 }, { timeoutMs: 1 });
    await expect(slow).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(store.count('c')).resolves.toBe(20_001);
  });

  it('give up when their signal fires while they wait', async () => {
    const controller = new AbortController();
    const call = store.scroll('c', { limit: 5 }, { signal: controller.signal });
    controller.abort();
    await expect(call).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('leave no listener on the signal they were given', async () => {
    const { signal } = new AbortController();
    const remove = jest.spyOn(signal, 'removeEventListener');
    await store.count('c', undefined, { signal });
    expect(remove).toHaveBeenCalledTimes(1);
  });

  it('refuse names that are no file names', async () => {
    for (const name of ['../c', '.hidden', 'a/b', '', 'x'.repeat(201)]) {
      await expect(store.ensureIndex({ ...SPEC, name })).rejects.toMatchObject({ kind: 'rejected' });
      await expect(store.setAlias(name, 'c')).rejects.toMatchObject({ kind: 'rejected' });
    }
  });
});
