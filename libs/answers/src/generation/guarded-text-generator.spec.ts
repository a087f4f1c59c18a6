import { FixedClock } from '#testing';
import { GeneratorError } from './generator-error.js';
import { GuardedTextGenerator } from './guarded-text-generator.js';
import { TextGenerator } from './text-generator.js';

class ScriptedGenerator extends TextGenerator {
  readonly model = 'scripted';
  calls = 0;
  outcome: () => Promise<string> = () => Promise.resolve('text');

  generate(): Promise<string> {
    this.calls++;
    return this.outcome();
  }
}

const NEVER = new AbortController().signal;

describe('GuardedTextGenerator', () => {
  let clock: FixedClock;
  let inner: ScriptedGenerator;
  let guarded: GuardedTextGenerator;
  beforeEach(() => {
    [clock, inner] = [new FixedClock(), new ScriptedGenerator()];
    guarded = new GuardedTextGenerator(inner, clock);
  });

  const fails = (isOutage = true, retryAfterMs?: number) => {
    inner.outcome = () => Promise.reject(new GeneratorError('away', { isOutage, retryAfterMs }));
  };
  const answers = () => {
    inner.outcome = () => Promise.resolve('text');
  };
  const run = async (times = 1, signal = NEVER) => {
    const outcomes: string[] = [];
    for (let n = 0; n < times; n++) outcomes.push(await guarded.generate([], { signal }).catch((error: Error) => error.message));
    return outcomes;
  };

  it('asks nobody any more after three outages in a row, for a quarter of a minute', async () => {
    fails();
    await run(2);
    answers();
    await run();
    fails();
    await run(3);
    expect(guarded.state).toBe('open');
    clock.advance(14_999);
    expect(await run(10)).toEqual(new Array(10).fill('The answer provider is left alone: it has just failed'));
    expect(inner.calls).toBe(6);
    expect(guarded.stats()).toMatchObject({ asked: 6, failed: 5, heldBack: 10 });
  });

  it('lets one request find out, and closes when it has found an answer', async () => {
    fails();
    await run(3);
    clock.advance(15_000);
    const { promise, resolve } = Promise.withResolvers<string>();
    inner.outcome = () => promise;
    const probe = guarded.generate([], { signal: NEVER });
    expect(guarded.state).toBe('half-open');
    expect(await run(3)).toEqual(new Array(3).fill('The answer provider is left alone: it has just failed'));
    resolve('text');
    await expect(probe).resolves.toBe('text');
    answers();
    expect([await run(), guarded.state]).toEqual([['text'], 'closed']);
  });

  it('stays open when that request fails, as long as the service asks for, within reason', async () => {
    fails();
    await run(3);
    clock.advance(15_000);
    fails(true, 60_000);
    expect(await run()).toEqual(['away']);
    clock.advance(59_999);
    expect(await run()).toEqual(['The answer provider is left alone: it has just failed']);
    clock.advance(1);
    fails(true, 3_600_000);
    expect(await run()).toEqual(['away']);
    clock.advance(300_000);
    answers();
    expect(await run()).toEqual(['text']);
  });

  it('lets the next one try when the one that was to find out has left', async () => {
    fails();
    await run(3);
    clock.advance(15_000);
    inner.outcome = () => Promise.reject(new Error('the client has left'));
    expect(await run()).toEqual(['the client has left']);
    answers();
    expect(await run()).toEqual(['text']);
  });

  it('never opens for prompts that are refused, or callers that leave', async () => {
    fails(false);
    await run(10);
    inner.outcome = () => Promise.reject(new Error('left'));
    await run(10);
    expect([inner.calls, guarded.state]).toEqual([20, 'closed']);
  });

  it('writes at most sixteen texts at a time', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    inner.outcome = () => promise;
    const all = Promise.allSettled(Array.from({ length: 20 }, () => guarded.generate([], { signal: NEVER })));
    resolve('text');
    expect((await all).filter(({ status }) => status === 'fulfilled')).toHaveLength(16);
    expect(await run()).toEqual(['text']);
  });

  it('does not begin for a caller that has left already', async () => {
    expect(await run(1, AbortSignal.abort(new Error('gone')))).toEqual(['gone']);
    expect(inner.calls).toBe(0);
  });
});
