/** Weight of a range that matches; `null` = it does not. The more exact the range, the more it counts (RFC 9110, 12.5.1). */
const RANGES: readonly ((type: string) => boolean)[] = [
  (type) => type === '*/*',
  (type) => type === 'application/*',
  (type) => type === 'application/json',
];

/**
 * Whether an Accept header lets the reply be JSON: the most exact range that matches `application/json` decides, and q=0 excludes.
 *
 * `application/problem+json` alone counts as well: a client that asks for problems can read JSON.
 */
export function acceptsJson(header: string | undefined): boolean {
  if (header === undefined || header.trim() === '') return true;
  let best = -1;
  let isAccepted = false;
  for (const part of header.split(',')) {
    const [rawType = '', ...parameters] = part.split(';');
    const type = rawType.trim().toLowerCase();
    const rank = type === 'application/problem+json' || type === 'application/*+json' ? 2 : RANGES.findIndex((matches) => matches(type));
    if (rank < 0 || rank < best) continue;
    const isWanted = weightOf(parameters) > 0;
    isAccepted = rank === best ? isAccepted || isWanted : isWanted;
    best = rank;
  }
  return isAccepted;
}

function weightOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=');
    if (name.trim().toLowerCase() === 'q') return Number(value.trim()) || 0;
  }
  return 1;
}
