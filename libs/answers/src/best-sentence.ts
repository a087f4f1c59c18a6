import { sentencesIn, type TextSpan } from '#documents';
import { stemsOf } from './stems.js';

/**
 * Finds the sentence of a text that has most words of the query, rare ones counting more; the first one when none has any.
 *
 * @param rarity of a stem, above 0; default: all the same
 * @returns the span within `text`; `null` = there is no sentence
 */
export function bestSentence(
  query: string,
  text: string,
  language: string | null,
  rarity: (stem: string) => number = () => 1,
): TextSpan | null {
  const wanted = stemsOf(query);
  let best: TextSpan | null = null;
  let bestScore = -1;
  for (const sentence of sentencesIn(text, { start: 0, end: text.length }, language)) {
    let score = 0;
    for (const stem of stemsOf(text.slice(sentence.start, sentence.end))) if (wanted.has(stem)) score += rarity(stem);
    // Above, not equal: of equals the first one stands.
    if (score > bestScore) {
      best = sentence;
      bestScore = score;
    }
  }
  return best;
}
