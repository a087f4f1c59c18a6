import fc from 'fast-check';
import { findJsonDefect } from './json-defect.js';

const SEED = 20261121;
const LARGE = { depth: 1_000, names: 1_000_000 };
const defectOf = (text: string) => findJsonDefect(text, { depth: 4, names: 6 });

describe('findJsonDefect', () => {
  it.each([
    ['{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}', null],
    ['{"a":"a","b":"a"}', null],
    ['["a","a"]', null],
    ['{"a":["b","b"]}', null],
    ['{"a\\"":1,"a":2}', null],
    ['{"constructor":1,"proto":"__proto__"}', null],
    ['[[[[1]]]]', null],
    ['{"a":"[[[[[[[[["}', null],
    ['[{"a":1,"b":1,"c":1},{"a":1,"b":1,"c":1}]', null],
    ['[{"a":1,"b":1,"c":1},{"a":1,"b":1,"c":1,"d":1}]', 'too-many-names'],
    ['{"a":1,"a":2}', 'duplicate-name'],
    ['{"a":1, "b":[{}], "a" \n:2}', 'duplicate-name'],
    ['{"a":1,"\\u0061":2}', 'duplicate-name'],
    ['{"x":[{"b":1,"b":2}]}', 'duplicate-name'],
    ['{"":1,"":2}', 'duplicate-name'],
    ['{"__proto__":1}', 'forbidden-name'],
    ['[{"\\u005f\\u005fproto__":1}]', 'forbidden-name'],
    ['[[[[[1]]]]]', 'too-deep'],
    ['{"a":{"b":[{"c":[]}]}}', 'too-deep'],
    ['', null],
    ['"', null],
    ['{"a', null],
    ['"\\', null],
    ['}}]]', null],
  ])('%s: %s', (text, defect) => expect(defectOf(text)).toBe(defect));

  it(`finds a doubled name wherever it is, and nothing in what JSON.stringify writes (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), fc.string(), (value, name) => {
        const text = JSON.stringify(value);
        const expected = text.includes('"__proto__":') ? 'forbidden-name' : null;
        expect(findJsonDefect(text, LARGE)).toEqual(expected);
        if (name === '__proto__') return;
        const key = JSON.stringify(name);
        expect(findJsonDefect(`[${text},{${key}:${text},${key}:1}]`, LARGE)).not.toBeNull();
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('takes time in proportion to the text', () => {
    const startedAtMs = performance.now();
    for (const text of [
      '{"a":'.repeat(200_000),
      '"\\'.repeat(500_000),
      '{"'.repeat(500_000),
      `{${'"a" '.repeat(200_000)}`,
      `{"a"${' '.repeat(1_000_000)}`,
    ])
      findJsonDefect(text, { depth: 32, names: 10_000 });
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
  });
});
