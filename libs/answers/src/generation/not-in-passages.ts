import type { CheckedText } from './citations.js';

/** What a model is told to write when the passages do not answer: a sentence of its own would have no citation, and read like an answer without one. */
export const NOT_IN_PASSAGES = 'NOT_IN_PASSAGES';

const BEGINS_WITH_IT = new RegExp(`^[\\s"'\`*_“„«(]{0,5}${NOT_IN_PASSAGES}`);

/** Whether a model says that the passages do not answer; what it writes behind that is talk. */
export function saysNotInPassages({ text, numbers }: CheckedText): boolean {
  return BEGINS_WITH_IT.test(text) || (numbers.length === 0 && text.includes(NOT_IN_PASSAGES));
}

/** Passes pieces on, but for a text that begins with {@link NOT_IN_PASSAGES}: that word is not for people. */
export function withholdingIt(onPiece: (piece: string) => void): (piece: string) => void {
  let held: string | null = '';
  return (piece) => {
    if (held === null) return onPiece(piece);
    held += piece;
    if (NOT_IN_PASSAGES.startsWith(held.trim()) || BEGINS_WITH_IT.test(held)) return;
    const passed = held;
    held = null;
    onPiece(passed);
  };
}
