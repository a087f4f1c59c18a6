import { EventEmitter } from 'node:events';
import { TokenCounter, type CountingThread, type CountMessage } from './token-counter.js';

const FILES = { tokenizerFile: '/m/t.json', tokenizerConfigFile: '/m/c.json' };

/** Double of the thread: the test answers. */
class FakeCountingThread extends EventEmitter implements CountingThread {
  readonly received: CountMessage[] = [];
  isTerminated = false;

  postMessage(message: CountMessage): void {
    this.received.push(message);
  }

  terminate(): Promise<void> {
    this.isTerminated = true;
    this.emit('exit', 1);
    return Promise.resolve();
  }

  /** Answers a message with the lengths of its texts. */
  answer({ id, texts }: CountMessage): void {
    this.emit('message', { id, counts: texts.map((text) => text.length) });
  }
}

/** Lets promise callbacks run. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

function setUp() {
  const threads: FakeCountingThread[] = [];
  const counter = new TokenCounter(FILES, (files) => {
    expect(files).toEqual(FILES);
    const thread = new FakeCountingThread();
    threads.push(thread);
    return thread;
  });
  return { counter, threads };
}

describe('TokenCounter', () => {
  it('starts its thread with the first call, and one for all calls', async () => {
    const { counter, threads } = setUp();
    await expect(counter.count([])).resolves.toEqual([]);
    expect(threads).toHaveLength(0);
    const counts = [counter.count(['ab', '']), counter.count(['abc'])];
    await settle();
    expect(threads).toHaveLength(1);
    for (const message of [...threads[0]!.received].reverse()) threads[0]!.answer(message);
    await expect(Promise.all(counts)).resolves.toEqual([[2, 0], [3]]);
  });

  it('sends long work in slices, the next one when the last is answered', async () => {
    const { counter, threads } = setUp();
    const long = 'x'.repeat(40_000);
    const counting = counter.count([long, long, 'y', long]);
    await settle();
    const [thread] = threads;
    expect(thread!.received.map(({ texts }) => texts.length)).toEqual([2]);
    thread!.answer(thread!.received[0]!);
    await settle();
    expect(thread!.received.map(({ texts }) => texts.length)).toEqual([2, 2]);
    thread!.answer(thread!.received[1]!);
    await expect(counting).resolves.toEqual([40_000, 40_000, 1, 40_000]);
  });

  it('sends nothing more for a call that is aborted', async () => {
    const { counter, threads } = setUp();
    const controller = new AbortController();
    const reason = new Error('left');
    const counting = counter.count(['x'.repeat(70_000), 'y'], controller.signal);
    const outcome = Promise.allSettled([counting]);
    await settle();
    controller.abort(reason);
    expect(await outcome).toEqual([{ status: 'rejected', reason }]);
    threads[0]!.answer(threads[0]!.received[0]!);
    await settle();
    expect(threads[0]!.received).toHaveLength(1);
  });

  it('rejects what waits when the thread dies, and starts another one for the next call', async () => {
    const { counter, threads } = setUp();
    const outcome = Promise.allSettled([counter.count(['a']), counter.count(['b'])]);
    await settle();
    const cause = new Error('out of memory');
    threads[0]!.emit('error', cause);
    threads[0]!.emit('exit', 1);
    for (const result of await outcome) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'search.embedder-unavailable', cause } });
    }
    const again = counter.count(['abc']);
    await settle();
    threads[1]!.answer(threads[1]!.received[0]!);
    await expect(again).resolves.toEqual([3]);
  });

  it('rejects what waits when it is closed, and everything afterwards', async () => {
    const { counter, threads } = setUp();
    const outcome = Promise.allSettled([counter.count(['a'])]);
    await settle();
    await counter.close();
    await counter.close();
    expect(await outcome).toMatchObject([{ status: 'rejected', reason: { code: 'search.embedder-unavailable' } }]);
    await expect(counter.count(['b'])).rejects.toMatchObject({ code: 'search.embedder-unavailable' });
    expect(threads.map(({ isTerminated }) => isTerminated)).toEqual([true]);
  });
});
