import { DependencyProbe } from './dependency-probe.js';

function makeProbe(ask: (signal: AbortSignal) => Promise<unknown>, elapsedMs = 5, timeoutMs = 1000) {
  let clockMs = 0;
  return new DependencyProbe({ ask, timeoutMs, slowMs: 100, now: () => new Date(0), monotonicMs: () => (clockMs += elapsedMs) });
}

describe('DependencyProbe', () => {
  it('knows nothing before the first look', () => {
    expect(makeProbe(async () => 1).last.state).toBe('unknown');
  });

  it('tells up, slow and down apart', async () => {
    const up = makeProbe(async () => 1);
    await up.refresh();
    expect(up.last).toMatchObject({ state: 'up', responseTimeMs: 5, reason: null, value: 1 });

    const slow = makeProbe(async () => 1, 150);
    await slow.refresh();
    expect(slow.last.state).toBe('slow');

    const down = makeProbe(() => Promise.reject(Object.assign(new Error('connect 10.0.0.1'), { code: 'ECONNREFUSED' })));
    await down.refresh();
    expect(down.last).toMatchObject({ state: 'down', reason: 'ECONNREFUSED', value: null });
  });

  it('never tells the text of an unknown error', async () => {
    const probe = makeProbe(() => Promise.reject(new Error('password=hunter2')));
    await probe.refresh();
    expect(probe.last.reason).toBe('failed');
  });

  it('gives up on a dependency that hangs and ignores its signal', async () => {
    const probe = makeProbe(() => new Promise(() => undefined), 1, 10);
    await probe.refresh();
    expect(probe.last).toMatchObject({ state: 'down', reason: 'no answer within 10 ms' });
  });

  it('looks again for a caller who knows more than the look that is under way', async () => {
    let isUp = false;
    let answer!: () => void;
    const probe = makeProbe(() => (isUp ? Promise.resolve() : new Promise((_, reject) => (answer = () => reject(new Error('down'))))));
    const early = probe.refresh();
    isUp = true;
    const late = probe.refreshAnew();
    answer();
    await Promise.all([early, late]);
    expect(probe.last.state).toBe('up');
  });

  it('looks once for callers at the same time', async () => {
    let looks = 0;
    const probe = makeProbe(async () => looks++);
    await Promise.all([probe.refresh(), probe.refresh(), probe.refresh()]);
    expect(looks).toBe(1);
  });
});
