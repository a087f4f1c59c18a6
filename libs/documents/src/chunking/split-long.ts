import { trimSpan, type TextSpan } from './text-span.js';

/** Of words whose every letter may be a token. */
const TOKENS_PER_CHARACTER = 1;
/** No two UTF-16 code units of a character may be parted. */
const LOW_SURROGATE = /[\uDC00-\uDFFF]/;

/**
 * Cuts a sentence that is longer than a chunk between its words, and a word that is longer than a chunk between its characters.
 *
 * @param charactersPerToken of this sentence, measured: its length by its tokens
 * @returns pieces of about `maxTokens`; what is still too long is cut again by the caller, which counts
 */
export function splitLong(text: string, span: TextSpan, maxTokens: number, charactersPerToken: number): TextSpan[] {
  const length = Math.max(1, Math.floor(maxTokens * Math.max(TOKENS_PER_CHARACTER, charactersPerToken)));
  const pieces: TextSpan[] = [];
  let start = span.start;
  while (start < span.end) {
    const end = start + length >= span.end ? span.end : borderBefore(text, start, start + length);
    const piece = trimSpan(text, { start, end });
    if (piece !== null) pieces.push(piece);
    start = end;
  }
  return pieces;
}

/** The last white space before `limit`, else `limit` itself, moved off the middle of a character. */
function borderBefore(text: string, start: number, limit: number): number {
  for (let index = limit; index > start; index--) if (/\s/.test(text[index]!)) return index;
  return LOW_SURROGATE.test(text[limit]!) && limit - 1 > start ? limit - 1 : limit + (LOW_SURROGATE.test(text[limit]!) ? 1 : 0);
}
