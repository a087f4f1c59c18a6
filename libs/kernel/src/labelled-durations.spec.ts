import { LabelledDurations } from './labelled-durations.js';

describe('LabelledDurations', () => {
  it('counts each duration in the first bound that it does not exceed, by labels', () => {
    const durations = new LabelledDurations<{ readonly step: string }>([10, 100]);
    for (const ms of [0, 10, 10.1, 100, 101, 5_000]) durations.observe({ step: 'read' }, ms);
    durations.observe({ step: 'write' }, 7);
    expect(durations.entries()).toMatchObject([
      { labels: { step: 'read' }, durations: { boundsMs: [10, 100], counts: [2, 2, 2], sumMs: 5_221.1 } },
      { labels: { step: 'write' }, durations: { counts: [1, 0, 0], sumMs: 7 } },
    ]);
  });
});
