export type JsonDefect = 'too-deep' | 'too-many-names' | 'duplicate-name' | 'forbidden-name';

export interface JsonLimits {
  /** Of objects and lists in each other. */
  readonly depth: number;
  /** In all objects together. */
  readonly names: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const WHITE_SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * Finds what JSON.parse accepts and Kindred does not, in one pass over the text before it is parsed.
 *
 * JSON.parse silently keeps the last of two equal names, and two readers of the same body (a proxy, a log, us) would see different requests.
 * A text that is no JSON gives some answer or `null`; parsing it finds that out.
 */
export function findJsonDefect(text: string, limits: JsonLimits): JsonDefect | null {
  /** Names seen in each open object; `null` for an open list. */
  const open: (Set<string> | null)[] = [];
  let defect: JsonDefect | null = null;
  let nameCount = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === QUOTE) {
      const end = endOfString(text, index);
      const names = open.at(-1);
      if (names !== null && names !== undefined && isName(text, end)) {
        if (++nameCount > limits.names) return 'too-many-names';
        defect ??= nameDefect(text.slice(index, end), names);
      }
      index = end - 1;
    } else if (unit === OPEN_OBJECT || unit === OPEN_LIST) {
      open.push(unit === OPEN_OBJECT ? new Set() : null);
      if (open.length > limits.depth) return 'too-deep';
    } else if (unit === CLOSE_OBJECT || unit === CLOSE_LIST) {
      open.pop();
    }
  }
  return defect;
}

/** Index behind the closing quote, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === BACKSLASH) index++;
    else if (unit === QUOTE) return index + 1;
  }
  return text.length;
}

/** In an object, a string before a colon is a name. */
function isName(text: string, end: number): boolean {
  let index = end;
  while (WHITE_SPACE.has(text.charCodeAt(index))) index++;
  return text.charCodeAt(index) === COLON;
}

function nameDefect(quoted: string, names: Set<string>): JsonDefect | null {
  const name = quoted.includes('\\') ? unescaped(quoted) : quoted.slice(1, -1);
  if (name === '__proto__') return 'forbidden-name';
  if (names.has(name)) return 'duplicate-name';
  names.add(name);
  return null;
}

function unescaped(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted;
  }
}
