import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES } from '#kernel';
import { errorsDocument } from './errors-document.js';

describe('docs/errors.md', () => {
  it('is what the table of codes says; `npm run errors` writes it', () => {
    expect(readFileSync(join(process.cwd(), 'docs/errors.md'), 'utf8')).toBe(errorsDocument());
  });

  it('has every code once', () => {
    const codes = [...errorsDocument().matchAll(/^\| `([^`]+)` \| (\d{3}) \|/gm)].map((match) => match[1]);
    expect(codes).toEqual(Object.keys(ERROR_CODES));
  });
});
