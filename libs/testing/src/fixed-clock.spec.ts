import { FixedClock } from './fixed-clock.js';

describe('FixedClock', () => {
  it('stands still until it is moved, on both faces', () => {
    const clock = new FixedClock(new Date('2031-05-06T07:08:09Z'));
    expect([clock.now().toISOString(), clock.monotonicMs()]).toEqual(['2031-05-06T07:08:09.000Z', 0]);
    clock.advance(1_500);
    expect([clock.now().toISOString(), clock.monotonicMs()]).toEqual(['2031-05-06T07:08:10.500Z', 1_500]);
    expect(() => clock.advance(-1)).toThrow('forward');
  });
});
