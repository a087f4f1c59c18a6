/** A schema of the OpenAPI document: the part of JSON Schema that zod writes. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
}

export function resolved(schema: Schema, document: object): Schema {
  if (schema.$ref === undefined) return schema;
  const target = schema.$ref
    .slice(2)
    .split('/')
    .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], document);
  return resolved(target as Schema, document);
}

/** JSON types that the schema accepts; `null` = any. */
export function typesOf(schema: Schema, document: object): ReadonlySet<string> | null {
  const { type, anyOf, enum: values, ...rest } = resolved(schema, document);
  if (anyOf !== undefined) {
    const branches = anyOf.map((branch) => typesOf(branch, document));
    return branches.includes(null) ? null : new Set(branches.flatMap((branch) => [...branch!]));
  }
  if (type !== undefined) return new Set([type].flat());
  if (values !== undefined) return new Set(values.map(jsonTypeOf));
  return 'const' in rest ? new Set([jsonTypeOf(rest.const)]) : null;
}

export function jsonTypeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}
