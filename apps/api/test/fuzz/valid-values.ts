import fc from 'fast-check';
import { resolved, type Schema } from './schema.js';

const WORDS = ['oak', 'kitchen', 'Bavaria', 'how are doors planed', 'faq', 'stairs and windows', 'Ü-Haus', '木の家', 'e\u0301'];
const TEXT_MAXIMUM = 60;
const ITEMS_MAXIMUM = 4;
const INTEGER_SPAN = 1_000;

/** Where a value is not free: names of things that exist, and what would only make a test slow. */
export type KnownValues = Readonly<Record<string, fc.Arbitrary<unknown>>>;

/** Values that the schema accepts; rules that it cannot express may still refuse one. */
export function validValues(schema: Schema, document: object, known: KnownValues = {}): fc.Arbitrary<unknown> {
  const rule = resolved(schema, document);
  if (rule.enum !== undefined) return fc.constantFrom(...rule.enum);
  if (rule.const !== undefined) return fc.constant(rule.const);
  if (rule.anyOf !== undefined) return fc.oneof(...rule.anyOf.map((branch) => validValues(branch, document, known)));
  const types = [rule.type ?? []].flat();
  if (types.length === 0) return fc.jsonValue({ maxDepth: 2, noUnicodeString: false });
  return fc.oneof(...types.map((type) => ofType(type, rule, document, known)));
}

function ofType(type: string, rule: Schema, document: object, known: KnownValues): fc.Arbitrary<unknown> {
  switch (type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return integers(rule);
    case 'number':
      return fc.oneof(integers(rule), fc.constantFrom(rule.minimum ?? 0, rule.maximum ?? 1));
    case 'string':
      return texts(rule);
    case 'array':
      return fc.array(validValues(rule.items ?? {}, document, known), {
        minLength: rule.minItems ?? 0,
        maxLength: Math.min(rule.maxItems ?? ITEMS_MAXIMUM, Math.max(rule.minItems ?? 0, ITEMS_MAXIMUM)),
      });
    case 'object':
      return objects(rule, document, known);
    default:
      throw new Error(`type ${type} is not known to the test`);
  }
}

function integers({ minimum = -INTEGER_SPAN, maximum = minimum + INTEGER_SPAN }: Schema): fc.Arbitrary<number> {
  const [low, high] = [Math.ceil(Math.max(minimum, -1e9)), Math.floor(Math.min(maximum, 1e9))];
  return fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: low, max: Math.min(high, low + INTEGER_SPAN) }) },
    { weight: 1, arbitrary: fc.constantFrom(low, high) },
  );
}

function texts({ format, pattern, minLength = 0, maxLength = TEXT_MAXIMUM }: Schema): fc.Arbitrary<string> {
  if (format === 'uuid') return fc.uuid();
  if (format === 'date') return day();
  if (format === 'date-time') return day().map((text) => `${text}T08:00:00Z`);
  if (format === 'uri') return fc.constantFrom('https://example.org/a', 'urn:example:b');
  if (pattern !== undefined)
    return fc.stringMatching(new RegExp(pattern, 'u')).filter((text) => text.length >= minLength && text.length <= maxLength);
  const fits = WORDS.filter((word) => word.length >= minLength && word.length <= maxLength);
  const random = fc.string({ unit: 'grapheme', minLength: Math.max(minLength, 1), maxLength: Math.min(maxLength, TEXT_MAXIMUM) });
  const short = random.filter((text) => text.length <= maxLength && text.length >= minLength);
  if (fits.length === 0) return short;
  return fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...fits) }, { weight: 1, arbitrary: short });
}

function day(): fc.Arbitrary<string> {
  return fc
    .date({ min: new Date('1990-01-01'), max: new Date('2030-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10));
}

function objects(rule: Schema, document: object, known: KnownValues): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties, propertyNames } = rule;
  const named = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, known[name] ?? validValues(schema, document, known)])),
    { requiredKeys: [...required] },
  );
  if (typeof additionalProperties !== 'object') return named;
  const names =
    propertyNames === undefined ? fc.constantFrom('alpha', 'beta') : (validValues(propertyNames, document) as fc.Arbitrary<string>);
  return fc
    .tuple(named, fc.dictionary(names, validValues(additionalProperties, document, known), { maxKeys: 3 }))
    .map(([one, other]) => ({ ...other, ...one }));
}
