import type { Embedding } from '#embeddings';
import { normaliseInPlace } from '#kernel';

/** Begin and end marker, as a BERT tokenizer counts them. */
const SPECIAL_TOKENS = 2;

/**
 * Embeds a text as its word counts, each word hashed to one component, L2-normalised.
 *
 * A token is one run of letters or digits, in lower case; words behind `maxTokens` are cut. A text without words gets the vector of the empty word.
 */
export function hashedBagOfWords(text: string, dimensions: number, maxTokens: number): Embedding {
  const words = wordsOf(text);
  const read = words.slice(0, Math.max(0, maxTokens - SPECIAL_TOKENS));
  const vector = new Float32Array(dimensions);
  for (const word of read.length > 0 ? read : ['']) {
    const component = fnv1a(word) % dimensions;
    vector[component] = vector[component]! + 1;
  }
  return { vector: normaliseInPlace(vector), tokens: read.length + SPECIAL_TOKENS, isTruncated: read.length < words.length };
}

/** The tokens of a text that is not cut, begin and end marker included. */
export function countBagTokens(text: string): number {
  return wordsOf(text).length + SPECIAL_TOKENS;
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** 32-bit FNV-1a over UTF-16 code units. */
function fnv1a(word: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}
