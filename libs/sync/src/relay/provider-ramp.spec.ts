import { FixedClock } from '#testing';
import { ProviderGate } from './provider-gate.js';
import { ProviderRamp } from './provider-ramp.js';

describe('ProviderRamp', () => {
  const BATCH = 64;
  function start() {
    const clock = new FixedClock();
    const gate = new ProviderGate(clock, () => 0.5);
    return { clock, gate, ramp: new ProviderRamp(gate) };
  }

  it('limits nothing while all is well', () => {
    const { ramp } = start();
    expect(ramp.phase).toBe('open');
    expect(ramp.batchLimit(BATCH)).toBe(BATCH);
    ramp.succeed(ramp.ticket(), BATCH);
    expect(ramp.batchLimit(BATCH)).toBe(BATCH);
  });

  it('probes with one entry after the pause and doubles with each success', () => {
    const { clock, ramp } = start();
    ramp.close(1_000);
    expect(ramp.phase).toBe('paused');
    clock.advance(1_000);
    expect(ramp.phase).toBe('probing');
    const limits: number[] = [];
    while (ramp.phase !== 'open') {
      limits.push(ramp.batchLimit(BATCH));
      ramp.succeed(ramp.ticket(), BATCH);
    }
    expect(limits).toEqual([1, 2, 4, 8, 16, 32, 64]);
    expect(ramp.batchLimit(BATCH)).toBe(BATCH);
  });

  it('pauses again, and longer, when the probe fails or the load is too much', () => {
    const { clock, gate, ramp } = start();
    const first = ramp.close();
    clock.advance(first);
    const second = ramp.close();
    expect(second).toBeGreaterThan(first);
    clock.advance(second);
    ramp.succeed(ramp.ticket(), BATCH);
    ramp.succeed(ramp.ticket(), BATCH);
    expect(ramp.phase).toBe('ramping');
    expect(ramp.close()).toBe(first);
    clock.advance(gate.remainingMs);
    expect(ramp.batchLimit(BATCH)).toBe(1);
  });

  it('does not let through, nor count, what began before the pause', () => {
    const { clock, ramp } = start();
    const old = ramp.ticket();
    expect(ramp.admits(old)).toBe(true);
    ramp.close(1_000);
    expect(ramp.admits(ramp.ticket())).toBe(false);
    clock.advance(1_000);
    expect(ramp.admits(ramp.ticket())).toBe(true);
    expect(ramp.admits(old)).toBe(false);
    ramp.succeed(old, BATCH);
    expect(ramp.phase).toBe('probing');
  });
});
