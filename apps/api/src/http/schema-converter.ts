import { z } from 'zod';

interface ConvertedSchema {
  readonly schema: unknown;
  readonly components?: Record<string, unknown>;
}

type JsonObject = Record<string, unknown>;

/**
 * Turns a zod schema into the form of the OpenAPI document. Schemas with an `id` become components; `openapi` in the metadata replaces the
 * generated form, for parameters that arrive as text but mean something else.
 */
export function convertSchema(schema: unknown, { schemaType }: { readonly schemaType: 'input' | 'output' }): ConvertedSchema | undefined {
  if (!(schema instanceof z.ZodType)) return undefined;
  const { $schema, $defs, ...root } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: schemaType,
    override: replaceByMetadata,
    unrepresentable: 'any',
  }) as JsonObject;
  void $schema;
  const components = Object.fromEntries(
    Object.entries(($defs ?? {}) as Record<string, JsonObject>).map(([name, definition]) => [name, withoutId(definition)]),
  );
  const id = root['id'];
  if (typeof id !== 'string') return { schema: root, components };
  return { schema: { $ref: `#/components/schemas/${id}` }, components: { ...components, [id]: withoutId(root) } };
}

function replaceByMetadata({ jsonSchema }: { jsonSchema: JsonObject }): void {
  const replacement = jsonSchema['openapi'];
  if (replacement === undefined) return;
  for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
  Object.assign(jsonSchema, replacement);
}

function withoutId({ id: _id, ...schema }: JsonObject): JsonObject {
  return schema;
}
