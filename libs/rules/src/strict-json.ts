import { isUtf8 } from 'node:buffer';
import { findJsonDefect } from './json-defect.js';

/** Deepest nesting of JSON that comes from outside; no request needs more than 4 levels. */
export const JSON_DEPTH_LIMIT = 32;

/** Most names of fields in one JSON text: each costs a look into a set and a rule, and 100,000 of them would hold up everybody else for a quarter of a second. */
export const JSON_NAMES_LIMIT = 10_000;

/** Why a JSON text was refused; `detail` reads behind the name of what was refused. */
export interface StrictJsonDefect {
  readonly code: 'not-utf8' | 'malformed-json' | 'too-deep' | 'too-many-names' | 'duplicate-name' | 'forbidden-name';
  readonly detail: string;
}

export type StrictJson = { readonly value: unknown; readonly defect: null } | { readonly value: null; readonly defect: StrictJsonDefect };

/**
 * Parses JSON strictly: valid UTF-8 without byte order mark, no nesting beyond {@link JSON_DEPTH_LIMIT}, no more names than
 * {@link JSON_NAMES_LIMIT}, no name twice in one object, nowhere the name
 * `__proto__`. Never throws.
 */
export function parseStrictJson(bytes: Buffer): StrictJson {
  // Buffer.toString would replace bad bytes, and what is stored would not be what was sent.
  if (!isUtf8(bytes)) return refused('not-utf8', 'is not valid UTF-8');
  const text = bytes.toString('utf8');
  const defect = findJsonDefect(text, { depth: JSON_DEPTH_LIMIT, names: JSON_NAMES_LIMIT });
  if (defect === 'too-deep') return refused('too-deep', `must not be nested deeper than ${JSON_DEPTH_LIMIT} levels`);
  if (defect === 'too-many-names') return refused('too-many-names', `must not have more than ${JSON_NAMES_LIMIT} names of fields`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refused('malformed-json', 'is not valid JSON');
  }
  if (defect === 'duplicate-name') return refused('duplicate-name', 'must not have the same name twice in one object');
  if (defect === 'forbidden-name') return refused('forbidden-name', 'must not use the name __proto__');
  return { value, defect: null };
}

function refused(code: StrictJsonDefect['code'], detail: string): StrictJson {
  return { value: null, defect: { code, detail } };
}
