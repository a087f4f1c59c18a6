import { readFileSync } from 'node:fs';

/** From the build; the sources lie one folder less deep. */
const PACKAGE = new URL('../../../../../package.json', import.meta.url);

/** Version of this Kindred, as its package says. */
export function kindredVersion(): string {
  return (JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version;
}
