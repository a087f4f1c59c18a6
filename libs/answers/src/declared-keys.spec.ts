import type { Collection } from '#documents';
import { DomainError } from '#kernel';
import { assertDeclared } from './declared-keys.js';
import { parseMetadataFilter } from './http/metadata-filter.parser.js';

const COLLECTIONS = [{ metadata_keys: { topic: 'keyword', year: 'number' } }] as unknown as Collection[];

/** What is said of the filters of a request. */
function problemsOf(filters: object): unknown {
  const parsed = parseMetadataFilter(filters);
  if ('problem' in parsed) throw new Error(parsed.problem.detail);
  try {
    assertDeclared(parsed.filter!, COLLECTIONS);
    return [];
  } catch (error) {
    return (error as DomainError).fields.map(({ pointer, code }) => [pointer, code]);
  }
}

describe('assertDeclared', () => {
  it('lets declared keys with values of their types pass, however deep', () => {
    expect(problemsOf({ topic: ['a'], not: { or: [{ year: { gt: 3 } }, { year: 4 }] } })).toEqual([]);
  });

  it('names the place of every key that is wrong', () => {
    expect(problemsOf({ and: [{ colour: 'red' }, { not: { 'a/b~': 1 } }], topic: 3, year: ['x', 'y'] })).toEqual([
      ['/filters/and/0/colour', 'unknown-key'],
      ['/filters/and/1/not/a~1b~0', 'unknown-key'],
      ['/filters/topic', 'wrong-type'],
      ['/filters/year', 'wrong-type'],
    ]);
  });
});
