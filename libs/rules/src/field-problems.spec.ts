import { z } from 'zod';
import { fieldProblemsOf, type SchemaIssue, type ValueOrigin } from './field-problems.js';

const BODY: ValueOrigin = { type: 'body' };
const problemsOf = (schema: z.ZodType, value: unknown, origin = BODY) =>
  fieldProblemsOf((schema.safeParse(value).error?.issues ?? []) as unknown as SchemaIssue[], value, origin);

describe('fieldProblemsOf', () => {
  it('points into bodies with JSON pointers, and names parameters', () => {
    const nested = z.strictObject({ 'a/b': z.strictObject({ '~c': z.array(z.number()) }) });
    expect(problemsOf(nested, { 'a/b': { '~c': [1, 'x'] } })).toEqual([
      { pointer: '/a~1b/~0c/1', code: 'wrong-type', detail: 'must be a number' },
    ]);
    expect(problemsOf(z.strictObject({ limit: z.number() }), { limit: 'x' }, { type: 'query' })[0]!.pointer).toBe('?limit');
    expect(problemsOf(z.number(), 'x', { type: 'param', name: 'id' })[0]!.pointer).toBe(':id');
    expect(problemsOf(z.number(), 'x')[0]!.pointer).toBe('');
  });

  it.each([
    [z.string(), undefined, 'required'],
    [z.string(), null, 'wrong-type'],
    [z.string(), ['a', 'b'], 'repeated'],
    [z.number(), [1], 'wrong-type'],
    [z.string().min(2), 'a', 'too-short'],
    [z.string().max(1), 'ab', 'too-long'],
    [z.array(z.number()).min(1), [], 'too-few'],
    [z.array(z.number()).max(1), [1, 2], 'too-many'],
    [z.number().min(1), 0, 'too-small'],
    [z.number().max(1), 2, 'too-large'],
    [z.enum(['a', 'b']), 'c', 'not-allowed'],
    [z.string().regex(/^a$/), 'b', 'invalid-format'],
    [z.string().refine(() => false, { params: { code: 'my-rule' } }), 'x', 'my-rule'],
    [z.union([z.string(), z.number()]), true, 'wrong-type'],
    [z.union([z.string(), z.array(z.string().max(1))]), ['ab'], 'too-long'],
  ])('names the rule: %#', (schema, value, code) => expect(problemsOf(schema, value)[0]!.code).toBe(code));

  it('never repeats the value', () => {
    const secret = 'hunter2';
    for (const schema of [z.number(), z.enum(['a']), z.string().max(1), z.string().regex(/^a$/), z.union([z.number(), z.boolean()])]) {
      expect(JSON.stringify(problemsOf(schema, secret))).not.toContain(secret);
    }
  });

  it('stops after 50, whatever the issues are', () => {
    const numbers = Array.from({ length: 1_000 }, () => 'x');
    expect(problemsOf(z.array(z.number()), numbers)).toHaveLength(50);
    const unknown = Object.fromEntries(numbers.map((_, index) => [`f${index}`, 1]));
    expect(problemsOf(z.strictObject({}), unknown)).toHaveLength(50);
  });

  it('cuts long names without breaking a character', () => {
    const [problem] = problemsOf(z.strictObject({}), { ['🪵'.repeat(1_000)]: 1 });
    expect(problem!.pointer.isWellFormed()).toBe(true);
    expect(problem!.pointer.length).toBeLessThan(500);
  });
});
