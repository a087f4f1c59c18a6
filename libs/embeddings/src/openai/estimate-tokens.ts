/** What a tokenizer puts around a text: two markers for most, three for some. */
export const SPECIAL_TOKENS = 3;

/**
 * Says how many tokens a text has at most: one for each byte of its UTF-8 form, and the special ones.
 *
 * The provider's tokenizer is not here. A token of a byte-level BPE vocabulary (all of OpenAI's) stands for at least one byte, and one of a WordPiece or
 * SentencePiece vocabulary for at least one character, so the count is never too low. It is too high by a factor of 4 to 5 for English prose, 3 for
 * German, 2 to 3 for Cyrillic, Greek, Chinese and Japanese (against cl100k_base and o200k_base).
 */
export function estimateTokens(text: string): number {
  return Buffer.byteLength(text, 'utf8') + SPECIAL_TOKENS;
}

/** Returns the longest start of a text that {@link estimateTokens} counts as at most `maxTokens`; never half a character. */
export function cutToTokens(text: string, maxTokens: number): string {
  if (estimateTokens(text) <= maxTokens) return text;
  const bytes = Buffer.allocUnsafe(Math.max(0, maxTokens - SPECIAL_TOKENS));
  // `read` counts whole characters only: what does not fit entirely is left out.
  const { read } = new TextEncoder().encodeInto(text, bytes);
  return text.slice(0, read);
}
