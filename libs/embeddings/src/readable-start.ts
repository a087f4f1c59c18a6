/**
 * Characters of a text that are looked at, for each token the model may read.
 *
 * English prose has 4 to 5 characters per token and no entry of the vocabulary has more than 18, so ordinary text reaches the token limit long
 * before this one. It bounds the work on extraordinary text: tokenising a megabyte would take longer than embedding what is read of it.
 */
export const CHARACTERS_PER_TOKEN = 32;

/** How far back from the cut a word boundary is looked for; longer "words" are cut where the limit falls. */
const LONGEST_WORD_CHARACTERS = 100;

/** The part of a text that can reach the model. */
export interface ReadableStart {
  readonly text: string;
  /** Whether characters other than white space were left out. */
  readonly isCut: boolean;
}

/**
 * Returns the start of a text that is worth tokenising: the text itself when it is short enough, else it is cut between two words, never inside
 * a surrogate pair. White space around a long text does not count.
 *
 * @param maxTokens the model's limit; at most {@link CHARACTERS_PER_TOKEN} times as many UTF-16 code units are returned
 */
export function readableStart(text: string, maxTokens: number): ReadableStart {
  const limit = maxTokens * CHARACTERS_PER_TOKEN;
  if (text.length <= limit) return { text, isCut: false };
  const trimmed = text.trim();
  if (trimmed.length <= limit) return { text: trimmed, isCut: false };
  return { text: trimmed.slice(0, findCut(trimmed, limit)), isCut: true };
}

function findCut(text: string, limit: number): number {
  for (let end = limit; end > limit - LONGEST_WORD_CHARACTERS; end--) {
    if (/\s/.test(text.charAt(end))) return end;
  }
  const isInsidePair = /[\uD800-\uDBFF]/.test(text.charAt(limit - 1)) && /[\uDC00-\uDFFF]/.test(text.charAt(limit));
  return isInsidePair ? limit - 1 : limit;
}
