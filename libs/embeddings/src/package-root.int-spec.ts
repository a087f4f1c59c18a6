import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { builtThreadFile, bundledModelsFolder, packageRoot } from './package-root.js';

describe('packageRoot', () => {
  it('finds the same folder from the sources and from the build', async () => {
    const built = pathToFileURL(join(packageRoot(), 'dist', 'libs', 'embeddings', 'src', 'package-root.js')).href;
    const print = `const m = await import(${JSON.stringify(built)}); console.log(JSON.stringify([m.packageRoot(), m.bundledModelsFolder(), m.builtThreadFile('embedding-worker')]));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', print], { cwd: '/' });
    expect(JSON.parse(stdout)).toEqual([packageRoot(), bundledModelsFolder(), builtThreadFile('embedding-worker')]);
    expect(existsSync(join(packageRoot(), 'package.json'))).toBe(true);
    for (const name of ['embedding-worker', 'token-counting-worker'] as const) expect(existsSync(builtThreadFile(name))).toBe(true);
  });
});
