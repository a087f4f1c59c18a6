const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];
const STEP = 1_000;

/** For people: `1.2 MB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= STEP && unit < UNITS.length - 1; unit++) value /= STEP;
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]!}`;
}

/** For people: `0.4 s`. */
export const secondsText = (ms: number): string => `${(ms / STEP).toFixed(1)} s`;
