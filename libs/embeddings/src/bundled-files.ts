import { packageRoot } from '#config';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

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
