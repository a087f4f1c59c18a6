import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Returns the folder of Kindred's package.json: the nearest one above this file.
 *
 * Sources lie in `<root>/libs/…` (tests) and the build in `<root>/dist/libs/…` (production, container image), so only the distance differs.
 */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('No package.json above the libraries of Kindred: the installation is not complete');
    folder = parent;
  }
  return folder;
}
