import type { Embedding } from './embedder.js';

/** One embedding for each text, in their order; equal texts, which were embedded once, each get a vector of their own. */
export function inOrderOf(texts: readonly string[], embeddingOf: (text: string) => Embedding): Embedding[] {
  const given = new Set<string>();
  return texts.map((text) => {
    const embedding = embeddingOf(text);
    const isFirst = !given.has(text);
    given.add(text);
    return isFirst ? embedding : { ...embedding, vector: embedding.vector.slice() };
  });
}
