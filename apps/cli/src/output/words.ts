const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
] as const;

/** A duration for people: 0.4 s, 12 s, 3 min, 2.5 h, 4 d. */
export function durationText(seconds: number | null): string {
  if (seconds === null) return '-';
  for (const [unit, size] of UNITS) if (seconds >= size) return `${rounded(seconds / size)} ${unit}`;
  return `${rounded(seconds)} s`;
}

/** A time for people, UTC, to the second. */
export function timeText(iso: string | null): string {
  return iso === null ? '-' : iso.replace('T', ' ').replace(/(\.\d+)?Z$/, 'Z');
}

function rounded(value: number): string {
  return value < 10 ? String(Math.round(value * 10) / 10) : String(Math.round(value));
}
