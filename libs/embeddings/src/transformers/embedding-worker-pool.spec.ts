import { Logger } from '@nestjs/common';
import { FakeThreads } from '../../test/fake-worker-thread.js';
import { EmbeddingWorkerPool } from './embedding-worker-pool.js';

const UNAVAILABLE = { code: 'search.embedder-unavailable' };

/** A pool whose threads are all ready, unless `ready` says how many. */
function setUp(size: number, ready = size) {
  const threads = new FakeThreads();
  const pool = new EmbeddingWorkerPool(size, threads.spawn);
  pool.launch();
  for (const thread of threads.started.slice(0, ready)) thread.becomeReady();
  return { threads, pool };
}

const texts = (messages: readonly { readonly text: string }[]) => messages.map(({ text }) => text);

beforeEach(() => {
  jest.useFakeTimers();
  Logger.overrideLogger(false);
});

afterEach(() => {
  jest.useRealTimers();
  Logger.overrideLogger(['error', 'warn', 'log']);
});

describe('EmbeddingWorkerPool: lanes', () => {
  it('hands documents out one by one: one to run and one to wait in each thread, evenly', async () => {
    const { threads, pool } = setUp(2);
    for (const text of ['d1', 'd2', 'd3', 'd4', 'd5', 'd6']) void pool.run('document', text);
    expect(threads.started.map(({ received }) => texts(received))).toEqual([
      ['d1', 'd3'],
      ['d2', 'd4'],
    ]);
    threads.at(1).embedNext();
    expect(texts(threads.at(1).received)).toEqual(['d2', 'd4', 'd5']);
    expect(pool.stats().documents).toMatchObject({ waiting: 5, running: 0, embedded: 1 });
  });

  it('gives a query to the next free thread, before every document that waits, whichever thread that is', async () => {
    const { threads, pool } = setUp(2);
    for (let i = 1; i <= 10; i++) void pool.run('document', `d${i}`);
    const running = threads.started.map((thread) => thread.take()!);
    const query = pool.run('query', 'q');
    threads.at(1).answer(running[1]!);
    expect(threads.at(1).embedNext()).toBe('q');
    await expect(query.result).resolves.toMatchObject({ tokens: 3 });
    threads.at(0).answer(running[0]!);
    expect(threads.at(0).embedNext()).toBe('d3');
    expect(pool.stats().queries).toMatchObject({ waiting: 0, running: 0, embedded: 1 });
  });

  it('keeps one thread free of documents for a second after a query, and uses it again afterwards', () => {
    const { threads, pool } = setUp(2);
    void pool.run('query', 'q1');
    expect(threads.at(0).embedNext()).toBe('q1');
    for (let i = 1; i <= 6; i++) void pool.run('document', `d${i}`);
    expect(threads.at(1).received).toEqual([]);
    jest.advanceTimersByTime(999);
    expect(threads.at(0).embedNext()).toBe('d1');
    expect(threads.at(1).received).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(threads.at(0).embedNext()).toBe('d2');
    expect(texts(threads.at(1).received)).toEqual(['d4', 'd6']);
  });

  it('gives documents to the only thread there is, queries or not', () => {
    const { threads, pool } = setUp(2, 1);
    void pool.run('query', 'q1');
    void pool.run('document', 'd1');
    expect(texts(threads.at(0).received)).toEqual(['q1', 'd1']);
  });

  it('disturbs no other thread with a query when one is idle', () => {
    const { threads, pool } = setUp(2);
    void pool.run('query', 'q1');
    void pool.run('query', 'q2');
    expect(threads.started.map(({ received }) => texts(received))).toEqual([['q1'], ['q2']]);
  });

  it('offers a query to a few threads only when there are many', () => {
    const { threads, pool } = setUp(8);
    for (let i = 1; i <= 16; i++) void pool.run('document', `d${i}`);
    void pool.run('query', 'q');
    expect(threads.started.filter(({ received }) => texts(received).includes('q'))).toHaveLength(4);
  });

  it('keeps texts until a thread is ready; a new thread helps with queries that wait for busy ones', async () => {
    const { threads, pool } = setUp(2, 0);
    void pool.run('document', 'd1');
    void pool.run('query', 'q1');
    expect(pool.stats().queries.waiting).toBe(1);
    threads.at(0).becomeReady();
    expect(texts(threads.at(0).received)).toEqual(['q1', 'd1']);
    threads.at(0).take();
    void pool.run('query', 'q2');
    threads.at(1).becomeReady();
    expect(threads.at(1).embedNext()).toBe('q2');
  });
});

describe('EmbeddingWorkerPool: abort', () => {
  it('drops a text that nobody has begun, also when a thread has it already', async () => {
    const { threads, pool } = setUp(1);
    const runs = ['d1', 'd2', 'd3'].map((text) => pool.run('document', text));
    threads.at(0).take();
    const reason = new Error('left');
    const outcome = Promise.allSettled(runs.slice(1).map(({ result }) => result));
    for (const run of runs.slice(1)) run.abort(reason);
    expect(await outcome).toEqual([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
    ]);
    expect(threads.at(0).take()).toBeNull();
    expect(pool.stats().documents).toMatchObject({ waiting: 0, running: 1, failed: 0 });
  });

  it('rejects at once when the text is being embedded, and keeps the place of the thread until it answers', async () => {
    const { threads, pool } = setUp(1);
    const runs = ['d1', 'd2', 'd3'].map((text) => pool.run('document', text));
    const running = threads.at(0).take()!;
    runs[0]!.abort(new Error('left'));
    await expect(runs[0]!.result).rejects.toThrow('left');
    expect(texts(threads.at(0).received)).toEqual(['d1', 'd2']);
    threads.at(0).answer(running);
    expect(texts(threads.at(0).received)).toEqual(['d1', 'd2', 'd3']);
  });
});

describe('EmbeddingWorkerPool: death', () => {
  it('replaces a thread that dies and embeds its texts elsewhere, in order, the running one as its only retry', async () => {
    const { threads, pool } = setUp(1);
    const runs = ['d1', 'd2', 'd3'].map((text) => pool.run('document', text));
    threads.at(0).take();
    threads.at(0).crash();
    expect(threads.started).toHaveLength(2);
    threads.at(1).becomeReady();
    expect([threads.at(1).embedNext(), threads.at(1).embedNext(), threads.at(1).embedNext()]).toEqual(['d1', 'd2', 'd3']);
    await expect(Promise.all(runs.map(({ result }) => result))).resolves.toHaveLength(3);
    expect(pool.stats()).toMatchObject({ documents: { retried: 1, embedded: 3, failed: 0 }, workers: { ready: 1, restarts: 1 } });
  });

  it('rejects a text that was being embedded on two threads when they died, and only that text', async () => {
    const { threads, pool } = setUp(2);
    const poison = pool.run('query', 'poison');
    const outcome = Promise.allSettled([poison.result]);
    threads.at(0).take();
    threads.at(0).crash('poison crashed me');
    expect(texts(threads.at(1).received)).toEqual(['poison']);
    threads.at(1).take();
    const others = [pool.run('query', 'q'), pool.run('document', 'd')];
    threads.at(1).crash('poison crashed me again');
    expect(await outcome).toMatchObject([
      { status: 'rejected', reason: { ...UNAVAILABLE, cause: { message: expect.stringContaining('poison') } } },
    ]);
    threads.at(2).becomeReady();
    expect([threads.at(2).embedNext(), threads.at(2).embedNext(), threads.at(2).embedNext()]).toEqual(['q', 'd', null]);
    await expect(Promise.all(others.map(({ result }) => result))).resolves.toHaveLength(2);
    expect(pool.stats().queries).toMatchObject({ retried: 1, failed: 1, embedded: 1 });
  });

  it('leaves a query alone that only waited in the thread that died: another has it, or gets it', async () => {
    const { threads, pool } = setUp(2);
    for (let i = 1; i <= 4; i++) void pool.run('document', `d${i}`);
    const running = threads.started.map((thread) => thread.take()!);
    const query = pool.run('query', 'q');
    threads.at(0).crash();
    expect(texts(threads.at(1).received).filter((text) => text === 'q')).toHaveLength(1);
    threads.at(1).answer(running[1]!);
    expect(threads.at(1).embedNext()).toBe('q');
    await expect(query.result).resolves.toBeDefined();
    expect(pool.stats().queries.retried).toBe(0);
  });

  it('takes an exit without an error for a death, and ignores what a dead thread still sends', async () => {
    const { threads, pool } = setUp(1);
    const run = pool.run('query', 'q');
    const message = threads.at(0).take()!;
    threads.at(0).emit('exit', 0);
    threads.at(1).becomeReady();
    threads.at(0).answer(message, Float32Array.of(9, 9, 9));
    threads.at(1).embedNext();
    await expect(run.result).resolves.toMatchObject({ vector: Float32Array.of(1, 0, 0) });
  });

  it('backs off when threads keep dying; meanwhile calls fail at once instead of waiting', async () => {
    const { threads, pool } = setUp(1, 0);
    threads.at(0).crash('no memory');
    const ready = expect(pool.whenReady()).rejects.toMatchObject({ ...UNAVAILABLE, cause: { message: 'no memory' } });
    threads.at(1).crash('no memory');
    await ready;
    expect(threads.started).toHaveLength(2);
    await expect(pool.run('query', 'q').result).rejects.toMatchObject(UNAVAILABLE);
    jest.advanceTimersByTime(199);
    expect(threads.started).toHaveLength(2);
    jest.advanceTimersByTime(1);
    expect(threads.started).toHaveLength(3);
    threads.at(2).becomeReady();
    // `error` and `exit` of one thread are one death: no second start is on its way.
    jest.advanceTimersByTime(60_000);
    expect(threads.started).toHaveLength(3);
    await expect(pool.whenReady()).resolves.toBeUndefined();
    const run = pool.run('query', 'q');
    threads.at(2).embedNext();
    await expect(run.result).resolves.toBeDefined();
    // It has worked, so its next death counts as a single one.
    threads.at(2).crash();
    expect(threads.started).toHaveLength(4);
  });

  it('treats a thread that cannot even be started as one that died', async () => {
    const pool = new EmbeddingWorkerPool(2, () => {
      throw new Error('no such file');
    });
    pool.launch();
    await expect(pool.whenReady()).rejects.toMatchObject({ ...UNAVAILABLE, cause: { message: 'no such file' } });
  });
});

describe('EmbeddingWorkerPool: answers', () => {
  it('rejects a text that the model refuses, without a retry, and goes on', async () => {
    const { threads, pool } = setUp(1);
    const refused = pool.run('document', 'd1');
    const fine = pool.run('document', 'd2');
    threads.at(0).refuse(threads.at(0).take()!, 'bad shape');
    await expect(refused.result).rejects.toMatchObject({ ...UNAVAILABLE, cause: { message: 'bad shape' } });
    threads.at(0).embedNext();
    await expect(fine.result).resolves.toBeDefined();
    expect(pool.stats().documents).toMatchObject({ failed: 1, retried: 0, embedded: 1, runs: { sumMs: 1 } });
  });

  it('rejects what is in flight when it is closed, ends the threads, and starts none afterwards', async () => {
    const { threads, pool } = setUp(2, 1);
    const runs = [pool.run('document', 'd1'), pool.run('query', 'q1')];
    threads.at(0).take();
    const outcome = Promise.allSettled([...runs.map(({ result }) => result), pool.whenReady()]);
    await pool.close();
    for (const result of await outcome) expect(result).toMatchObject({ status: 'rejected', reason: UNAVAILABLE });
    expect(threads.started.map(({ isTerminated }) => isTerminated)).toEqual([true, true]);
    jest.runOnlyPendingTimers();
    pool.launch();
    expect(threads.started).toHaveLength(2);
    await expect(pool.run('query', 'q2').result).rejects.toMatchObject(UNAVAILABLE);
    await pool.close();
  });

  it('stays in order with thousands of documents', async () => {
    const { threads, pool } = setUp(1);
    const wanted = Array.from({ length: 5_000 }, (_, i) => `d${i}`);
    const results = Promise.all(wanted.map((text) => pool.run('document', text).result));
    const seen: string[] = [];
    for (let text = threads.at(0).embedNext(); text !== null; text = threads.at(0).embedNext()) seen.push(text);
    await results;
    expect(seen).toEqual(wanted);
  });
});
