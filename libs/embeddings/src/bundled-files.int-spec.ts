import { execFile } from 'node:child_process';
import { packageRoot } from '#config';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { builtThreadFile, bundledModelsFolder } from './bundled-files.js';

describe('files that come with Kindred', () => {
  it('are the same from the sources and from the build', async () => {
    const built = pathToFileURL(join(packageRoot(), 'dist', 'libs', 'embeddings', 'src', 'bundled-files.js')).href;
    const print = `const m = await import(${JSON.stringify(built)}); console.log(JSON.stringify([m.bundledModelsFolder(), m.builtThreadFile('embedding-worker')]));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', print], { cwd: '/' });
    expect(JSON.parse(stdout)).toEqual([bundledModelsFolder(), builtThreadFile('embedding-worker')]);
    expect(existsSync(join(packageRoot(), 'package.json'))).toBe(true);
    for (const name of ['embedding-worker', 'token-counting-worker'] as const) expect(existsSync(builtThreadFile(name))).toBe(true);
  });
});
