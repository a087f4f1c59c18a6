/** Longest echo of a name that the client chose. */
export const POINTER_LIMIT = 200;

/** JSON pointer (RFC 6901) to the end of a path that a client may have chosen: escaped, bounded, and storable, see {@link pointerTokenOf}. */
export function jsonPointerOf(path: readonly PropertyKey[]): string {
  return boundedPointer(path.map((part) => `/${pointerTokenOf(part)}`).join(''));
}

/**
 * One name of a pointer, escaped. What PostgreSQL cannot store, NUL and halves of surrogate pairs, is replaced by U+FFFD: the problem of one row must
 * not become an error of all of them.
 */
export function pointerTokenOf(part: PropertyKey): string {
  return String(part).toWellFormed().replaceAll('\0', '\ufffd').replaceAll('~', '~0').replaceAll('/', '~1');
}

/** Cut by code point, so that no half of a surrogate pair is left. */
export function boundedPointer(pointer: string): string {
  return pointer.length <= POINTER_LIMIT ? pointer : `${[...pointer].slice(0, POINTER_LIMIT).join('')}…`;
}
