import type { Freshness } from '../search-types.js';

/** Milliseconds with a tenth: more digits would only be noise. */
export function elapsedMsSince(startedAtMs: number): number {
  return Math.round((performance.now() - startedAtMs) * 10) / 10;
}

/** Who answered, as every reply says it. */
export function freshnessReplyOf<Known extends Freshness>({ isDegraded, source, indexAgeSeconds, index }: Known) {
  return {
    degraded: isDegraded,
    source: source as Known['source'],
    ...(indexAgeSeconds === null ? {} : { index_age_seconds: toTenths(indexAgeSeconds) }),
    index: index as Known['index'],
  };
}

/** Up, so that an age is never understated. */
function toTenths(seconds: number): number {
  return Math.ceil(seconds * 10) / 10;
}

/** Whether the named write was seen; nothing when the search named none. */
export function consistencyReplyOf({ consistency }: Freshness) {
  if (consistency === undefined) return {};
  const { isFresh, backlog } = consistency;
  return { freshness: isFresh ? ('fresh' as const) : ('stale' as const), ...(backlog === null ? {} : { backlog }) };
}
