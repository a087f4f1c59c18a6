import { SharedFlights } from './shared-flights.js';

function setUp() {
  const flights = new SharedFlights<string>();
  const runs: { readonly signal: AbortSignal; readonly resolve: (value: string) => void; readonly reject: (reason: Error) => void }[] = [];
  const compute = (signal: AbortSignal) => new Promise<string>((resolve, reject) => runs.push({ signal, resolve, reject }));
  return { runs, run: (key: string, signal?: AbortSignal) => flights.run(key, compute, signal), flights };
}

describe('SharedFlights', () => {
  it('runs once for callers of one key at the same time, and again afterwards', async () => {
    const { runs, run, flights } = setUp();
    const asked = [run('a'), run('a', new AbortController().signal), run('b')];
    runs[0]!.resolve('A');
    runs[1]!.resolve('B');
    expect(await Promise.all(asked)).toEqual(['A', 'A', 'B']);
    expect([runs.length, flights.joined]).toEqual([2, 1]);
    void run('a');
    expect(runs).toHaveLength(3);
  });

  it('fails for all of them together, and does not remember it', async () => {
    const { runs, run } = setUp();
    const asked = Promise.allSettled([run('a'), run('a')]);
    runs[0]!.reject(new Error('broken'));
    expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const again = run('a');
    runs[1]!.resolve('A');
    await expect(again).resolves.toBe('A');
  });

  it('calls a run off when the last caller has left, and lets the next one start anew', async () => {
    const { runs, run } = setUp();
    const [one, other] = [new AbortController(), new AbortController()];
    const asked = Promise.allSettled([run('a', one.signal), run('a', other.signal)]);
    one.abort(new Error('left'));
    expect(runs[0]!.signal.aborted).toBe(false);
    other.abort(new Error('left too'));
    expect(runs[0]!.signal.aborted).toBe(true);
    expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    void run('a');
    expect(runs).toHaveLength(2);
    await expect(run('a', one.signal)).rejects.toThrow('left');
  });
});
