import { RequestSlots } from './request-slots.js';

const NEVER = new AbortController().signal;

function setUp(size: number) {
  const slots = new RequestSlots(size);
  const begun: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<string>>();
  const run = (name: string, signal = NEVER) =>
    slots.run(signal, () => {
      begun.push(name);
      const end = Promise.withResolvers<string>();
      ends.set(name, end);
      return end.promise;
    });
  return { run, begun, ends };
}

/** Lets promise callbacks run. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('RequestSlots', () => {
  it('runs so many at a time, the others in order of arrival, also after one that failed', async () => {
    const { run, begun, ends } = setUp(2);
    const results = Promise.allSettled(['a', 'b', 'c', 'd'].map((name) => run(name)));
    await settle();
    expect(begun).toEqual(['a', 'b']);
    ends.get('b')!.reject(new Error('broken'));
    await settle();
    expect(begun).toEqual(['a', 'b', 'c']);
    ends.get('a')!.resolve('A');
    ends.get('c')!.resolve('C');
    await settle();
    ends.get('d')!.resolve('D');
    expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  });

  it('lets one that waits give up at once, without harm to the others', async () => {
    const { run, begun, ends } = setUp(1);
    const controller = new AbortController();
    const first = run('a');
    const leaving = run('b', controller.signal);
    const outcome = Promise.allSettled([leaving]);
    const last = run('c');
    await settle();
    const reason = new Error('left');
    controller.abort(reason);
    expect(await outcome).toEqual([{ status: 'rejected', reason }]);
    ends.get('a')!.resolve('A');
    await first;
    await settle();
    ends.get('c')!.resolve('C');
    await expect(last).resolves.toBe('C');
    expect(begun).toEqual(['a', 'c']);
    await expect(run('d', AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
