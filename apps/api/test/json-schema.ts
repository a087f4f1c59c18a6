type Json = Record<string, unknown>;

/**
 * Says where a value departs from a schema of the OpenAPI document. Knows what zod writes: types, properties, required, additionalProperties,
 * items, enum, anyOf, bounds and references; throws for a keyword it does not know, so that it cannot pass by ignorance.
 */
export function conformsTo(schema: unknown, value: unknown, document: object, at = '$'): string[] {
  const rule = resolve(schema as Json, document as Json);
  const defects: string[] = [];
  for (const keyword of Object.keys(rule)) {
    const check = CHECKS[keyword];
    if (check === undefined) {
      if (!ANNOTATIONS.has(keyword)) throw new Error(`${at}: keyword ${keyword} is not known to the test`);
      continue;
    }
    defects.push(...check(rule, value, document, at));
  }
  return defects;
}

const ANNOTATIONS = new Set([
  'description',
  'title',
  'example',
  'examples',
  'default',
  'format',
  'multipleOf',
  'required',
  'nullable',
  'pattern',
]);

type Check = (rule: Json, value: unknown, document: object, at: string) => string[];

const CHECKS: Record<string, Check> = {
  type: ({ type, nullable }, value, _document, at) => {
    const wanted = [type, ...(nullable === true ? ['null'] : [])].flat();
    return wanted.some((name) => isOfType(String(name), value)) ? [] : [`${at} is no ${String(wanted)}`];
  },
  enum: ({ enum: allowed }, value, _document, at) =>
    (allowed as unknown[]).includes(value) ? [] : [`${at} is none of ${String(allowed)}`],
  const: ({ const: wanted }, value, _document, at) => (value === wanted ? [] : [`${at} is not ${String(wanted)}`]),
  anyOf: ({ anyOf }, value, document, at) =>
    (anyOf as Json[]).some((branch) => conformsTo(branch, value, document, at).length === 0) ? [] : [`${at} fits no branch`],
  items: ({ items }, value, document, at) =>
    Array.isArray(value) ? value.flatMap((item, index) => conformsTo(items, item, document, `${at}[${index}]`)) : [],
  properties: (rule, value, document, at) => checkObject(rule, value, document, at),
  propertyNames: ({ propertyNames }, value, document, at) =>
    Object.keys(value as object).flatMap((name) => conformsTo(propertyNames, name, document, `${at} name ${name}`)),
  // `false` is the business of checkObject.
  additionalProperties: ({ additionalProperties, properties = {} }, value, document, at) =>
    typeof additionalProperties === 'object' && typeof value === 'object' && value !== null
      ? Object.entries(value)
          .filter(([name]) => !Object.hasOwn(properties as Json, name))
          .flatMap(([name, item]) => conformsTo(additionalProperties, item, document, `${at}.${name}`))
      : [],
  minimum: ({ minimum }, value, _document, at) => (typeof value === 'number' && value < Number(minimum) ? [`${at} is too small`] : []),
  maximum: ({ maximum }, value, _document, at) => (typeof value === 'number' && value > Number(maximum) ? [`${at} is too large`] : []),
  minLength: ({ minLength }, value, _document, at) =>
    typeof value === 'string' && value.length < Number(minLength) ? [`${at} is too short`] : [],
  maxLength: ({ maxLength }, value, _document, at) =>
    typeof value === 'string' && value.length > Number(maxLength) ? [`${at} is too long`] : [],
  minItems: ({ minItems }, value, _document, at) => (Array.isArray(value) && value.length < Number(minItems) ? [`${at} is too short`] : []),
  maxItems: ({ maxItems }, value, _document, at) => (Array.isArray(value) && value.length > Number(maxItems) ? [`${at} is too long`] : []),
};

function checkObject({ properties, required = [], additionalProperties }: Json, value: unknown, document: object, at: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const known = properties as Json;
  const missing = (required as string[]).filter((name) => !Object.hasOwn(value, name)).map((name) => `${at}.${name} is missing`);
  const others = Object.entries(value).flatMap(([name, item]) => {
    if (Object.hasOwn(known, name)) return conformsTo(known[name], item, document, `${at}.${name}`);
    return additionalProperties === false ? [`${at}.${name} is not known`] : [];
  });
  return [...missing, ...others];
}

function isOfType(name: string, value: unknown): boolean {
  switch (name) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === name;
  }
}

function resolve(schema: Json, document: Json): Json {
  const reference = schema['$ref'];
  if (typeof reference !== 'string') return schema;
  const target = reference
    .slice(2)
    .split('/')
    .reduce<unknown>((at, key) => (at as Json)[key], document);
  if (target === undefined) throw new Error(`${reference} leads nowhere`);
  return resolve(target as Json, document);
}
