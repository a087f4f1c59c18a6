import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..', '..');
const ROWS = 30;

describe('docs/security.md', () => {
  const rows = readFileSync(join(ROOT, 'docs/security.md'), 'utf8')
    .split('\n')
    .filter((line) => /^\| S\d+ /.test(line));

  it('has a row for every control, in order', () => {
    expect(rows.map((row) => /S\d+/.exec(row)![0])).toEqual(Array.from({ length: ROWS }, (_, index) => `S${index + 1}`));
  });

  it.each(rows)('%s', (row) => {
    const files = [...row.matchAll(/`((?:apps|libs)\/[^`]+\.ts)`/g)].map(([, file]) => file!);
    if (files.length === 0) expect(row).toContain('Not applicable: ');
    expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });
});
