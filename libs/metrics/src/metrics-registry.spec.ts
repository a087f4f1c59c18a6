import { LabelledDurations } from '#kernel';
import { MetricsRegistry } from './metrics-registry.js';

describe('MetricsRegistry', () => {
  let metrics: MetricsRegistry;
  beforeEach(() => {
    metrics = new MetricsRegistry();
  });

  it('reads values when it is asked, and publishes durations in seconds, bounds added up', async () => {
    const durations = new LabelledDurations<{ readonly mode: string }>([10, 100]);
    for (const ms of [5, 50, 500]) durations.observe({ mode: 'vector' }, ms);
    let waiting = 1;
    metrics.gauge('waiting', 'Waiting', () => waiting++);
    metrics.gauge('absent', 'Not known', () => null);
    metrics.durations('took_seconds', 'Took', () => [...durations.entries()]);
    metrics.mean('overlap', 'Overlap', () => ({ sum: 1.5, count: 2 }));
    expect(await metrics.render()).toContain('waiting 1\n');
    const lines = (await metrics.render()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines).toEqual([
      'waiting 2',
      'took_seconds_bucket{mode="vector",le="0.01"} 1',
      'took_seconds_bucket{mode="vector",le="0.1"} 2',
      'took_seconds_bucket{mode="vector",le="+Inf"} 3',
      'took_seconds_sum{mode="vector"} 0.555',
      'took_seconds_count{mode="vector"} 3',
      'overlap_sum 1.5',
      'overlap_count 2',
    ]);
  });

  it('leaves out what cannot be read, counts that in the same answer, and gives the rest', async () => {
    metrics.gauge('broken', 'Broken', () => Promise.reject(new Error('away')));
    metrics.gauge('sound', 'Sound', () => 1);
    const text = await metrics.render();
    expect(text).toContain('sound 1\n');
    expect(text).toContain('kindred_scrape_failures_total{reading="broken"} 1');
    expect(text).not.toMatch(/^broken /m);
  });

  it('writes labels so that no value can end a line', async () => {
    metrics.gauge('odd', 'Odd', () => ({ labels: { code: 'a"b\nc\\d' }, value: 1 }));
    expect(await metrics.render()).toContain('odd{code="a\\"b\\nc\\\\d"} 1\n');
  });
});
