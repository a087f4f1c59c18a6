import fc from 'fast-check';
import type { z } from 'zod';
import { calendarDay, decimalNumber } from './number-rules.js';
import { queryDecimal, queryInteger, queryList, uuidText } from './query-rules.js';
import { craftTerm, storableText } from './text-rules.js';

const SEED = 20261121;
const isValid = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success;
const codeOf = (schema: z.ZodType, value: unknown) => {
  const issue = schema.safeParse(value).error?.issues[0] as { code?: string; params?: { code: string } } | undefined;
  return issue?.params?.code ?? issue?.code;
};

describe('storableText', () => {
  const text = storableText(10);
  it.each([
    ['a\0b', 'nul'],
    ['a\ud800b', 'lone-surrogate'],
    ['\udfff', 'lone-surrogate'],
    [' \t\n', 'blank'],
    ['\u3000', 'blank'],
    ['', 'too_small'],
    ['x'.repeat(11), 'too_big'],
    [1, 'invalid_type'],
  ])('refuses %j as %s', (value, code) => expect(codeOf(text, value)).toBe(code));

  it('takes everything else as it is', () => expect(text.parse(' Küche 🪵 ')).toBe(' Küche 🪵 '));
});

describe('craftTerm', () => {
  const term = craftTerm();
  it.each(['kitchen', 'Baden-Württemberg', 'A/B & C+D_1.2', 'Łódź', '木'])('takes %s', (value) => expect(isValid(term, value)).toBe(true));
  it.each(['a,b', 'a;b', "a'b", 'a"b', '<b>', 'a\tb', 'a\nb', 'a\0', '\ud800', '   ', '', 'x'.repeat(101), '½', '🪵', 'a\u202eb'])(
    'refuses %j',
    (value) => expect(isValid(term, value)).toBe(false),
  );

  it('composes, so that one word has one spelling', () => {
    expect(term.parse('Thu\u0308ringen')).toBe('Thüringen');
  });
});

describe('decimalNumber', () => {
  const price = decimalNumber(999_999_999_999.99);
  it.each([0, 0.01, 0.1, 15000.07, 999_999_999_999.99, 1e11, -0])('takes %p', (value) => expect(isValid(price, value)).toBe(true));
  it.each([0.001, 0.1 + 0.2, 1_000_000_000_000, -0.01, Number.NaN, Number.POSITIVE_INFINITY, '1', null, true, [1]])('refuses %p', (value) =>
    expect(isValid(price, value)).toBe(false),
  );

  it(`takes every whole number of cents (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99_999_999_999_999 }), (cents) => {
        const text = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
        expect(isValid(price, Number(text))).toBe(true);
        expect(Number(text).toFixed(2)).toBe(text);
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });
});

describe('calendarDay', () => {
  const day = calendarDay();
  it.each(['2024-02-29', '0001-01-01', '9999-12-31'])('takes %s', (value) => expect(isValid(day, value)).toBe(true));
  it.each(['2023-02-29', '2024-13-01', '2024-1-1', '24-01-01', '0000-01-01', '10000-01-01', '2024-01-01T00:00:00Z', 'today', 20240101])(
    'refuses %p',
    (value) => expect(isValid(day, value)).toBe(false),
  );
});

describe('query rules', () => {
  const integer = queryInteger({ minimum: 1, maximum: 100, description: '' });
  const decimal = queryDecimal({ description: '' });
  const list = queryList(craftTerm(), { description: '', maximumItems: 2 });

  it.each(['1', '100'])('reads the whole number %s', (value) => expect(integer.parse(value)).toBe(Number(value)));
  it.each(['0', '101', '', ' 1', '1.0', '1e1', '0x1', '+1', 'NaN', '9'.repeat(400), ['1', '2'], 1])(
    'refuses %p as a whole number',
    (value) => expect(isValid(integer, value)).toBe(false),
  );
  it.each(['0', '-1.5', '15000.07'])('reads the number %s', (value) => expect(decimal.parse(value)).toBe(Number(value)));
  it.each(['', '1e5', '.5', '1.', 'Infinity', '1,5', ['1'], '1'.repeat(16)])('refuses %p as a number', (value) =>
    expect(isValid(decimal, value)).toBe(false),
  );

  it('makes a list of one value and of several', () => {
    expect(list.parse('oak')).toEqual(['oak']);
    expect(list.parse(['oak', 'ash'])).toEqual(['oak', 'ash']);
    expect(isValid(list, ['a', 'b', 'c'])).toBe(false);
    expect(isValid(list, ['a', 'b;'])).toBe(false);
  });

  it('takes UUIDs in either case, in one spelling', () => {
    expect(uuidText.parse('0197A6B2-6c1e-7c3a-9d55-0f6f3b0c2a11')).toBe('0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11');
    expect(codeOf(uuidText, '{0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11}')).toBe('not-a-uuid');
    expect(codeOf(uuidText, '0197a6b26c1e7c3a9d550f6f3b0c2a11')).toBe('not-a-uuid');
  });
});
