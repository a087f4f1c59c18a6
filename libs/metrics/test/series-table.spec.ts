import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './alert-rules.js';
import { catalogOfAll } from './catalog.js';

describe('the table of series in docs/operations.md', () => {
  const text = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
  const documented = [...text.matchAll(/^\| `(kindred_[a-z0-9_]+)` +\| (\w+) +\| (.+?) +\|$/gm)].map(([, name, type, help]) => ({
    name,
    type,
    help,
  }));

  it('has every series of ours, with its type and what it says of itself', () => {
    const ours = catalogOfAll().filter(({ name }) => name.startsWith('kindred_'));
    const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1);
    expect(documented.sort(byName)).toEqual(ours.map(({ name, type, help }) => ({ name, type, help })).sort(byName));
  });
});
