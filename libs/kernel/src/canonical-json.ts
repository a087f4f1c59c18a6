export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Serialises to the one JSON text of a value: keys sorted by code unit, no white space. Equal values give equal texts, so it can be hashed. */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item: JsonValue) => canonicalJson(item)).join(',')}]`;
  // Every row is hashed at each write and at each reconciliation, so without an array per field.
  const object = value as Readonly<Record<string, JsonValue>>;
  let text = '';
  for (const key of Object.keys(object).sort()) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(object[key]!)}`;
  return `{${text}}`;
}
