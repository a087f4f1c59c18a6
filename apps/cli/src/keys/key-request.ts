import { UsageError } from '../service/usage-error.js';

export const SCOPE_NAMES = ['read', 'write', 'admin:read', 'admin'] as const;
export type ScopeName = (typeof SCOPE_NAMES)[number];

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
const DURATION = /^(\d{1,6})([smhd])$/;

/** Adds the scopes of one `--scope`: one, or several with commas. @throws UsageError */
export function addScopes(text: string, before: readonly ScopeName[] = []): ScopeName[] {
  const scopes = text.split(',').map((word) => {
    const scope = SCOPE_NAMES.find((name) => name === word.trim());
    if (scope === undefined) throw new UsageError(`--scope must be of ${SCOPE_NAMES.join(', ')}, not ${text}`);
    return scope;
  });
  return [...new Set([...before, ...scopes])];
}

/** Seconds of 90s, 30m, 12h or 7d. @throws UsageError */
export function parseDuration(name: string, text: string): number {
  const [, count, unit] = DURATION.exec(text) ?? [];
  if (count === undefined || unit === undefined) throw new UsageError(`${name} must be like 90s, 30m, 12h or 7d, not ${text}`);
  return Number(count) * UNIT_SECONDS[unit]!;
}

/** When a key expires: a time, or how long from now. @returns ISO 8601, UTC. @throws UsageError */
export function parseExpiry(text: string, nowMs: number): string {
  if (DURATION.test(text)) return new Date(nowMs + parseDuration('--expires', text) * 1_000).toISOString();
  const time = /^\d{4}-\d\d-\d\d(T.+)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new UsageError(`--expires must be like 90d or 2027-01-01, not ${text}`);
  if (time <= nowMs) throw new UsageError(`--expires ${text} is over already`);
  return new Date(time).toISOString();
}
