import fc from 'fast-check';
import { jsonTypeOf, resolved, typesOf, type Schema } from './schema.js';
import { validValues } from './valid-values.js';

const SAMPLES: readonly unknown[] = ['text', 1.5, 7, true, null, [], {}, [null], { a: 1 }];
/** Longer ones would only make bodies that are too large as a whole. */
const LENGTH_MAXIMUM = 30_000;
const ITEMS_MAXIMUM = 1_001;
const NO_PATTERN = '\u0001 !';

/** Values of which the schema refuses every single one, each for one reason; empty when it refuses nothing. */
export function invalidValues(schema: Schema, document: object): fc.Arbitrary<unknown>[] {
  const rule = resolved(schema, document);
  const wrong = wrongTypes(rule, document);
  if (rule.anyOf !== undefined) return wrong;
  const types = [rule.type ?? []].flat();
  return [
    ...wrong,
    ...(rule.enum === undefined ? [] : [fc.constant('no-such-word')]),
    ...(types.includes('string') && rule.enum === undefined ? badTexts(rule) : []),
    ...(types.includes('integer') || types.includes('number') ? badNumbers(rule) : []),
    ...(types.includes('array') ? badLists(rule, document) : []),
    ...(types.includes('object') ? badObjects(rule, document) : []),
  ];
}

/** The same for a value that travels as text: of the query, or of the path. */
export function invalidTexts(schema: Schema, document: object): fc.Arbitrary<string>[] {
  const rule = resolved(schema, document);
  if (rule.items !== undefined) return invalidTexts(rule.items, document);
  // A list may be one value as well.
  if (rule.anyOf !== undefined) {
    const branches = rule.anyOf.map((branch) => resolved(branch, document));
    const list = branches.find(({ items }) => items !== undefined);
    return list === undefined ? [] : invalidTexts(list.items!, document);
  }
  if (rule.enum !== undefined || rule.type === 'boolean') return [fc.constant('no-such-word')];
  if (rule.type === 'integer' || rule.type === 'number') {
    const numbers = badNumbers(rule).map((bad) => bad.map(String));
    return [fc.constantFrom('abc', '1e', '--1', ' 1', '0x1', ''), ...numbers];
  }
  return rule.type === 'string' ? badTexts(rule) : [];
}

function wrongTypes(rule: Schema, document: object): fc.Arbitrary<unknown>[] {
  const accepted = typesOf(rule, document);
  if (accepted === null) return [];
  const others = SAMPLES.filter((sample) => {
    const type = jsonTypeOf(sample);
    if (accepted.has(type)) return false;
    return !(type === 'number' && accepted.has('integer') && Number.isInteger(sample));
  });
  return others.length === 0 ? [] : [fc.constantFrom(...others)];
}

function badTexts({ format, pattern, minLength = 0, maxLength }: Schema): fc.Arbitrary<string>[] {
  return [
    ...(minLength > 0 ? [fc.constant('')] : []),
    ...(maxLength === undefined || maxLength > LENGTH_MAXIMUM ? [] : [fc.constant('x'.repeat(maxLength + 1))]),
    ...(pattern === undefined ? [] : [fc.constant(NO_PATTERN)]),
    ...(format === undefined ? [] : [fc.constantFrom('neither', '2026-02-30', '00000000-0000-0000-0000-00000000000g')]),
  ];
}

function badNumbers({ minimum, maximum }: Schema): fc.Arbitrary<number>[] {
  return [
    ...(minimum === undefined || minimum < -1e15 ? [] : [fc.constantFrom(minimum - 1, minimum - 1_000)]),
    ...(maximum === undefined || maximum > 1e15 ? [] : [fc.constantFrom(maximum + 1, maximum * 10 + 10)]),
  ];
}

function badLists({ items = {}, minItems = 0, maxItems }: Schema, document: object): fc.Arbitrary<unknown>[] {
  const item = validValues(items, document);
  return [
    ...(minItems > 0 ? [fc.constant([])] : []),
    ...(maxItems === undefined || maxItems >= ITEMS_MAXIMUM ? [] : [item.map((one) => Array.from({ length: maxItems + 1 }, () => one))]),
    ...invalidValues(items, document).map((bad) => bad.map((one) => [one])),
  ];
}

function badObjects(rule: Schema, document: object): fc.Arbitrary<unknown>[] {
  const { properties = {}, required = [], additionalProperties } = rule;
  const sound = validValues({ ...rule, type: 'object' }, document) as fc.Arbitrary<Record<string, unknown>>;
  const replaced = Object.entries(properties).flatMap(([name, schema]) =>
    invalidValues(schema, document).map((bad) => fc.tuple(sound, bad).map(([value, one]) => ({ ...value, [name]: one }))),
  );
  const missing = required.map((name) => sound.map(({ [name]: _gone, ...rest }) => rest));
  const unknown = additionalProperties === false ? [sound.map((value) => ({ ...value, no_such_field: 1 }))] : [];
  return [...replaced, ...missing, ...unknown];
}
