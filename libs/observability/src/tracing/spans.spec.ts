import { inSpan, keepSpans, openSpan, type SpanAttributes } from './spans.js';

describe('spans', () => {
  afterEach(() => keepSpans(null));

  it('are nothing without a keeper: the work runs, with what it returns and throws', async () => {
    expect(openSpan('request', {})).toBeNull();
    expect(
      await inSpan('search', {}, (span) => {
        span.set({ source: 'local' });
        return Promise.resolve(7);
      }),
    ).toBe(7);
    const failure = new Error('away');
    await expect(inSpan('search', {}, () => Promise.reject(failure))).rejects.toBe(failure);
  });

  it('end with what the work came to', async () => {
    const seen: unknown[] = [];
    keepSpans({
      open: (name, attributes) => ({
        run: (work) => work(),
        set: (more: SpanAttributes) => void seen.push(['set', name, more]),
        end: (failure) => void seen.push(['end', name, attributes, failure]),
      }),
      stop: () => Promise.resolve(),
    });
    await inSpan('search', { texts: 1 }, async (span) => span.set({ source: 'local' }));
    const failure = new Error('away');
    await expect(inSpan('search', {}, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(seen).toEqual([
      ['set', 'search', { source: 'local' }],
      ['end', 'search', { texts: 1 }, undefined],
      ['end', 'search', {}, failure],
    ]);
  });
});
