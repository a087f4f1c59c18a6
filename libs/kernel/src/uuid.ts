const UUID_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether the text is a hyphenated UUID of any version; PostgreSQL accepts more spellings, the API only this one. */
export function isUuid(text: string): boolean {
  return UUID_PATTERN.test(text);
}
