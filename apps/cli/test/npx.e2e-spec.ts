import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(__dirname, '..', '..', '..');

describe('npx kindred', () => {
  it('runs the command line from the folder of the project, as README and the documents say', async () => {
    const { stdout } = await promisify(execFile)('npx', ['kindred', '--help'], { cwd: ROOT, timeout: 60_000 });

    expect(stdout).toMatch(/^Usage: kindred /);
  }, 60_000);
});
