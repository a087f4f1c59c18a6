import { FixedClock } from '#testing';
import { RepeatedMessages } from './repeated-messages.js';

describe('repeated messages', () => {
  it('pass once a minute, with the number that was held back', () => {
    const clock = new FixedClock();
    const messages = new RepeatedMessages(clock);
    expect(messages.pass('store', 'The store is away')).toBe('The store is away');
    clock.advance(59_999);
    expect(messages.pass('store', 'The store is away')).toBeNull();
    expect(messages.pass('other', 'Something else')).toBe('Something else');
    expect(messages.pass('store', 'The store is away')).toBeNull();
    clock.advance(1);
    expect(messages.pass('store', 'The store is away')).toBe('The store is away (2 more times since the last message)');
    expect(messages.pass('store', 'The store is away')).toBeNull();
  });

  it('begin anew when the trouble was over', () => {
    const messages = new RepeatedMessages(new FixedClock());
    messages.pass('store', 'away');
    messages.pass('store', 'away');
    expect(messages.clear('store')).toBe(1);
    expect(messages.pass('store', 'away')).toBe('away');
  });
});
