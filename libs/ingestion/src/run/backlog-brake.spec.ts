import type { ServingIndex } from '#sync';
import { BacklogBrake } from './backlog-brake.js';

describe('BacklogBrake', () => {
  const SERVING = { generationId: 1 } as ServingIndex;
  const never = new AbortController().signal;

  /** A backlog that a test prescribes, look by look, and a clock that goes on by a second at each. */
  function brake(backlogs: readonly (number | Error)[]) {
    let looks = 0;
    const waits: number[] = [];
    let nowMs = 0;
    const directory = {
      serving: async () => SERVING,
      backlog: async () => {
        nowMs += 1_000;
        const backlog = backlogs[Math.min(looks++, backlogs.length - 1)]!;
        if (backlog instanceof Error) throw backlog;
        return backlog;
      },
    };
    const wait = async (ms: number, signal: AbortSignal): Promise<void> => {
      waits.push(ms);
      signal.throwIfAborted();
    };
    return { subject: new BacklogBrake(directory, () => nowMs, wait), looks: () => looks, waits };
  }

  it('lets a batch pass while few rows wait', async () => {
    const { subject, looks } = brake([1_500]);
    await subject.pass('projects', never, never);
    expect(looks()).toBe(1);
  });

  it('waits until enough has been indexed', async () => {
    const { subject, looks } = brake([9_000, 5_000, 2_000, 1_000]);
    await subject.pass('projects', never, never);
    expect(looks()).toBe(4);
  });

  it('waits as long as the index gets on, however slowly', async () => {
    const { subject, looks } = brake([...Array.from({ length: 20 }, (_, n) => 9_000 - n), 100]);
    await subject.pass('projects', never, never);
    expect(looks()).toBe(21);
  });

  it('looks less and less often', async () => {
    const { subject, waits } = brake([...Array.from({ length: 20 }, (_, n) => 9_000 - n), 100]);
    await subject.pass('projects', never, never);
    expect([waits[0], waits.at(-1)]).toEqual([100, 1_000]);
    expect(waits.every((ms, index) => index === 0 || ms >= waits[index - 1]!)).toBe(true);
  });

  it('waits for nothing any more as soon as it is released', async () => {
    const release = new AbortController();
    const { subject, looks } = brake([9_000]);
    const passing = subject.pass('projects', never, release.signal);
    release.abort();
    await passing;
    await subject.pass('projects', never, release.signal);
    expect(looks()).toBe(1);
  });

  it('goes on when the index makes no progress', async () => {
    const { subject, looks } = brake([9_000]);
    await subject.pass('projects', never, never);
    expect(looks()).toBe(4);
  });

  it('does not hold up an import while there is no index, or nobody can say', async () => {
    await brake([new Error('not ready')]).subject.pass('projects', never, never);
  });

  it('ends with the run', async () => {
    const stopping = new AbortController();
    const passing = brake([9_000, 8_000, 7_000]).subject.pass('projects', stopping.signal, never);
    stopping.abort(new Error('stopping'));
    await expect(passing).rejects.toThrow('stopping');
  });
});
