import { parseMetadataFilter } from './metadata-filter.parser.js';

const codeOf = (value: unknown) => {
  const parsed = parseMetadataFilter(value);
  return 'problem' in parsed ? [parsed.problem.path.join('/'), parsed.problem.code] : null;
};
const nested = (depth: number, inner: unknown = { a: 1 }): unknown => (depth === 0 ? inner : { not: nested(depth - 1, inner) });

describe('parseMetadataFilter', () => {
  it('reads every shape', () => {
    expect(parseMetadataFilter({})).toEqual({ filter: null });
    expect(parseMetadataFilter({ topic: 'stairs' })).toEqual({
      filter: { kind: 'any', key: 'topic', pointer: '/filters/topic', values: ['stairs'] },
    });
    expect(
      parseMetadataFilter({
        topic: ['a', 'b'],
        year: { gte: 1, lt: 2 },
        open: true,
        or: [{ a: 1 }, { not: { b: 'x' } }],
        and: [{ c: false }],
      }),
    ).toEqual({
      filter: {
        kind: 'and',
        filters: [
          { kind: 'any', key: 'topic', pointer: '/filters/topic', values: ['a', 'b'] },
          { kind: 'range', key: 'year', pointer: '/filters/year', gte: 1, lt: 2 },
          { kind: 'any', key: 'open', pointer: '/filters/open', values: [true] },
          {
            kind: 'or',
            filters: [
              { kind: 'any', key: 'a', pointer: '/filters/or/0/a', values: [1] },
              { kind: 'not', filter: { kind: 'any', key: 'b', pointer: '/filters/or/1/not/b', values: ['x'] } },
            ],
          },
          { kind: 'and', filters: [{ kind: 'any', key: 'c', pointer: '/filters/and/0/c', values: [false] }] },
        ],
      },
    });
  });

  it('has a limit of depth', () => {
    expect(codeOf(nested(4))).toBeNull();
    expect(codeOf(nested(5))![1]).toBe('too-deep');
    expect(codeOf(nested(1_000))![1]).toBe('too-deep');
    const cyclic: Record<string, unknown> = {};
    cyclic['and'] = [cyclic];
    expect(codeOf(cyclic)![1]).toBe('too-deep');
  });

  it.each([
    [null, '', 'invalid-type'],
    [[], '', 'invalid-type'],
    ['a', '', 'invalid-type'],
    [{ and: [] }, 'and', 'invalid-type'],
    [{ or: { a: 1 } }, 'or', 'invalid-type'],
    [{ or: [{}] }, 'or/0', 'required'],
    [{ not: {} }, 'not', 'required'],
    [{ not: [{ a: 1 }] }, 'not', 'invalid-type'],
    [{ a: null }, 'a', 'invalid-type'],
    [{ a: [] }, 'a', 'invalid-length'],
    [{ a: Array.from({ length: 51 }, () => 1) }, 'a', 'invalid-length'],
    [{ a: [['b']] }, 'a/0', 'invalid-type'],
    [{ a: {} }, 'a', 'required'],
    [{ a: { $gte: 1 } }, 'a/$gte', 'unknown-field'],
    [{ a: { gte: '1' } }, 'a/gte', 'invalid-type'],
    [{ a: Number.NaN }, 'a', 'invalid-type'],
    [{ a: 'b\0' }, 'a', 'invalid-text'],
    [{ a: 'x'.repeat(501) }, 'a', 'invalid-text'],
    [{ 'a\0': 1 }, 'a\0', 'unknown-key'],
    [{ or: Array.from({ length: 100 }, () => ({ a: 1 })) }, 'or/99/a', 'too-many'],
  ])('refuses %j', (value, path, code) => expect(codeOf(value)).toEqual([path, code]));
});
