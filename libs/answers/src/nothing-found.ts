import { languageOf } from './language-of.js';

const NOTHING_FOUND = { de: 'Dazu steht nichts in den Dokumenten.', en: 'The documents say nothing about that.' } as const;

/** Says that the documents do not answer, in the language of the question. */
export function nothingFound(question: string): string {
  return NOTHING_FOUND[languageOf(question)];
}
