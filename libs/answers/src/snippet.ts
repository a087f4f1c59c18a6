import type { TextSpan } from '#documents';
import { oneLine } from './one-line.js';

/** About three lines. */
const SNIPPET_LENGTH = 320;
const ELLIPSIS = '…';
const MARK = '**';

/**
 * Cuts a text down to what surrounds its best sentence, which stands between two `**`; cut ends show an ellipsis.
 *
 * @param best within `text`; `null` = the beginning is shown, without a mark
 */
export function snippetOf(text: string, best: TextSpan | null): string {
  if (best === null) return clip(text, 0, SNIPPET_LENGTH);
  const room = Math.max(0, SNIPPET_LENGTH - (best.end - best.start));
  const start = Math.min(best.start, wordStart(text, Math.max(0, best.start - Math.floor(room / 2))));
  const end = wordEnd(text, Math.min(text.length, Math.max(best.end, start + SNIPPET_LENGTH)));
  const before = `${start > 0 ? ELLIPSIS : ''}${text.slice(start, best.start)}`;
  const after = `${text.slice(best.end, end)}${end < text.length ? ELLIPSIS : ''}`;
  return oneLine(`${before}${MARK}${text.slice(best.start, best.end)}${MARK}${after}`);
}

function clip(text: string, start: number, length: number): string {
  const end = wordEnd(text, Math.min(text.length, start + length));
  return oneLine(`${text.slice(start, end)}${end < text.length ? ELLIPSIS : ''}`);
}

/** The next beginning of a word at or behind `index`. */
function wordStart(text: string, index: number): number {
  if (index === 0) return 0;
  const space = text.slice(index).search(/\s/);
  return space === -1 ? index : index + space + 1;
}

/** The next end of a word at or behind `index`. */
function wordEnd(text: string, index: number): number {
  const space = text.slice(index).search(/\s/);
  return space === -1 ? text.length : index + space;
}
