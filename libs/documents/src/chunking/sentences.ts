import { trimSpan, type TextSpan } from './text-span.js';

/** A locale decides little here; one that is not known would be an error. */
const LOCALES = { de: 'de', en: 'en' } as const;
const segmenters = new Map<string, Intl.Segmenter>();

/** Splits a part of a text into its sentences (Unicode Standard Annex 29), without the white space between them. */
export function sentencesIn(text: string, span: TextSpan, language: string | null): TextSpan[] {
  const sentences: TextSpan[] = [];
  for (const { index, segment } of segmenterOf(language).segment(text.slice(span.start, span.end))) {
    const sentence = trimSpan(text, { start: span.start + index, end: span.start + index + segment.length });
    if (sentence !== null) sentences.push(sentence);
  }
  return sentences;
}

function segmenterOf(language: string | null): Intl.Segmenter {
  const locale = language?.startsWith('de') === true ? LOCALES.de : LOCALES.en;
  const known = segmenters.get(locale);
  if (known !== undefined) return known;
  const made = new Intl.Segmenter(locale, { granularity: 'sentence' });
  segmenters.set(locale, made);
  return made;
}
