/** A parsed query string: an object without prototype; repeated names give lists, in order. */
export type ParsedQuery = Record<string, string | string[]>;

/** Marks a query string that is not valid percent-encoded UTF-8. A symbol, so that no parameter can be mistaken for it. */
const MALFORMED = Symbol('malformed query string');

/** `decodeURIComponent` of every name and value; `+` is a space, as HTML forms send it. Never throws: the router calls it where nothing could catch. */
export function parseQueryString(text: string): ParsedQuery {
  const query = Object.create(null) as ParsedQuery & { [MALFORMED]?: true };
  if (text === '') return query;
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
    if (name === null || value === null) {
      query[MALFORMED] = true;
      continue;
    }
    const before = query[name];
    query[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
  }
  return query;
}

/** Whether {@link parseQueryString} met something it could not decode. */
export function isMalformedQuery(query: unknown): boolean {
  return typeof query === 'object' && query !== null && MALFORMED in query;
}

function decode(text: string): string | null {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
}
