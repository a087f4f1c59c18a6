/** Words shorter than that carry little: articles, conjunctions, units. */
const WORD_MINIMUM = 3;
/** Longer words are compared by their beginning: "Treppe" and "Treppen", "stair" and "stairs". */
const STEM_LENGTH = 5;

/** The words of a text, folded and shortened so that forms of one word are equal; German and English need no more for choosing a sentence. */
export function stemsOf(text: string): Set<string> {
  const stems = new Set<string>();
  for (const [word] of text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .matchAll(/[\p{L}\p{N}]+/gu)) {
    if (word.length >= WORD_MINIMUM) stems.add(word.toLowerCase().slice(0, STEM_LENGTH));
  }
  return stems;
}
