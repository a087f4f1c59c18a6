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
    if (parent === folder) throw new Error('No package.json above the embeddings library: the installation is not complete');
    folder = parent;
  }
  return folder;
}

/** The folder that holds the model folders which ship with Kindred. */
export function bundledModelsFolder(): string {
  return join(packageRoot(), 'models');
}

/** The built entry file of a thread of this lib; threads run from `dist` always, also when the caller runs from the sources. */
export function builtThreadFile(name: 'embedding-worker' | 'token-counting-worker'): string {
  const file = join(packageRoot(), 'dist', 'libs', 'embeddings', 'src', 'transformers', `${name}.js`);
  if (!existsSync(file)) throw new Error(`${file} is missing: run \`npm run build\``);
  return file;
}
