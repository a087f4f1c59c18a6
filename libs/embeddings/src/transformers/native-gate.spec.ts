import { NativeGate } from './native-gate.js';

describe('NativeGate', () => {
  it('lets a thread in and out until it is shut', () => {
    const gate = new NativeGate();
    const thread = new NativeGate(gate.shared);
    expect([thread.enter(), thread.leave(), thread.enter(), thread.leave()]).toEqual([true, true, true, true]);
    expect(gate.shut()).toBe(false);
    expect(thread.enter()).toBe(false);
  });

  it('says that the thread is inside, and tells it to end when it comes out', () => {
    const gate = new NativeGate();
    const thread = new NativeGate(gate.shared);
    thread.enter();
    expect(gate.shut()).toBe(true);
    expect(gate.shutAndWait(1)).toBe(false);
    expect(thread.leave()).toBe(false);
    expect(gate.shutAndWait(1)).toBe(true);
    expect(thread.enter()).toBe(false);
  });
});
