import { packageRoot } from '#config';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Version of this Kindred, as its package says. */
export function kindredVersion(): string {
  return (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version;
}
