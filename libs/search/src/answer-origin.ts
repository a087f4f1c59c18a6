import type { Answered } from '#vector-store';
import type { Provenance } from './search-types.js';

/**
 * Who answered a search that took several calls. One part from a copy makes the whole degraded; it is as old as its oldest part.
 */
export class AnswerOrigin {
  private current: Provenance | null = null;

  get provenance(): Provenance {
    if (this.current === null) throw new Error('Nobody was asked');
    return this.current;
  }

  observe({ isDegraded, source, indexAgeSeconds }: Answered<unknown>): void {
    const before = this.current;
    if (before === null || (isDegraded && !before.isDegraded)) {
      this.current = { isDegraded, source, indexAgeSeconds };
    } else if (isDegraded && indexAgeSeconds !== null && indexAgeSeconds > (before.indexAgeSeconds ?? 0)) {
      this.current = { ...before, indexAgeSeconds };
    }
  }
}
