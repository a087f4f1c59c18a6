import { LabelledDurations } from '#kernel';
import { inSpan } from '#observability';
import type { Provenance, SearchMode } from './search-types.js';

/** Milliseconds. 100 is the limit that alarms look at. */
const BOUNDS_MS = [1, 2.5, 5, 10, 15, 25, 50, 75, 100, 150, 250, 500, 1_000, 2_500, 5_000] as const;

export type SearchLabels = {
  /** Who answered; `none` = nobody. */
  readonly source: Provenance['source'] | 'none';
  /** As it was asked for. */
  readonly mode: SearchMode;
  /** How many texts a search has: several take longer than one, and must not pass for a slow one. */
  readonly texts: 'one' | 'many';
};

/** How long the searches of this process took, whatever rows they were for. */
export class SearchTimings {
  private readonly durations = new LabelledDurations<SearchLabels>(BOUNDS_MS);

  /** Runs the search, and counts it. */
  async time<Answer extends Pick<Provenance, 'source'>>(
    asked: Omit<SearchLabels, 'source'>,
    search: () => Promise<Answer>,
  ): Promise<Answer> {
    const startedMs = performance.now();
    let source: SearchLabels['source'] = 'none';
    try {
      return await inSpan('search', { 'kindred.search.mode': asked.mode, 'kindred.search.texts': asked.texts }, async (span) => {
        const answer = await search();
        ({ source } = answer);
        span.set({ 'kindred.search.source': source });
        return answer;
      });
    } finally {
      this.durations.observe({ source, mode: asked.mode, texts: asked.texts }, performance.now() - startedMs);
    }
  }

  entries(): ReturnType<LabelledDurations<SearchLabels>['entries']> {
    return this.durations.entries();
  }
}
