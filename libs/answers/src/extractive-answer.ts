import { sentencesIn } from '#documents';
import type { Answer, Citation } from './answer.js';
import { bestSentence } from './best-sentence.js';
import { citationsAsWords } from './generation/citations.js';
import { nothingFound } from './nothing-found.js';
import { oneLine } from './one-line.js';
import type { Passage } from './query.js';
import { stemsOf } from './stems.js';

/** A passage up to this length is given whole: an answer of a FAQ is one. */
const WHOLE_LENGTH = 500;
/** Sentences around the best one of a longer passage. */
const SENTENCES_AFTER = 2;
/** More would be a list of results, not an answer. */
const PASSAGES_MAXIMUM = 2;
/** A second passage must be nearly as good as the first one. Ranks do not show that: the second of a list is always near the first. */
const SECOND_SHARE = 0.97;

/** Makes an answer out of the best passages, in their own words, each with its citation: the only numbers in brackets. Nothing is written that does not stand in a document. */
export function extractiveAnswer(query: string, passages: readonly Passage[]): Answer {
  const chosen = choose(passages);
  if (chosen.length === 0) return { text: nothingFound(query), mode: 'extractive', citations: [] };
  const rarity = rarityAmong(passages);
  const parts = chosen.map((passage, index) => `${citationsAsWords(excerptOf(query, passage, rarity))} [${index + 1}]`);
  return { text: parts.join('\n\n'), mode: 'extractive', citations: chosen.map((passage, index) => citationOf(passage, index + 1)) };
}

/** A citation of a passage. */
export function citationOf({ id, document, start, end }: Passage, number: number): Citation {
  return { number, document_id: document.id, title: document.title, external_id: document.external_id, chunk_id: id, start, end };
}

/** The best passage, and those of other documents that are nearly as good. */
function choose(passages: readonly Passage[]): Passage[] {
  const [first, ...others] = passages;
  if (first === undefined) return [];
  const near = others.filter((passage) => passage.document.id !== first.document.id && isNearlyAsGood(passage, first));
  return [first, ...near].slice(0, PASSAGES_MAXIMUM);
}

/** By everything that is known of the best one: its likeness, and how much of the words it has. */
function isNearlyAsGood(passage: Passage, best: Passage): boolean {
  const isNear = (score: number | null, bestScore: number | null) =>
    bestScore === null || (score !== null && score >= SECOND_SHARE * bestScore);
  return isNear(passage.similarity, best.similarity) && isNear(wordScoreOf(passage), wordScoreOf(best));
}

function wordScoreOf({ scores }: Passage): number | null {
  return scores?.keyword?.score ?? null;
}

/** The whole passage when it is short, else its best sentence with those that follow. */
function excerptOf(query: string, { text, language }: Passage, rarity: (stem: string) => number): string {
  if (text.length <= WHOLE_LENGTH) return oneLine(text);
  const best = bestSentence(query, text, language, rarity);
  if (best === null) return oneLine(text.slice(0, WHOLE_LENGTH));
  const sentences = sentencesIn(text, { start: 0, end: text.length }, language);
  const place = sentences.findIndex(({ start }) => start === best.start);
  const last = sentences[Math.min(place + SENTENCES_AFTER, sentences.length - 1)]!;
  return oneLine(text.slice(best.start, last.end));
}

/** A word that all passages have tells nothing about which sentence answers. */
function rarityAmong(passages: readonly Passage[]): (stem: string) => number {
  const counts = new Map<string, number>();
  for (const { text } of passages) for (const stem of stemsOf(text)) counts.set(stem, (counts.get(stem) ?? 0) + 1);
  return (stem) => Math.log(1 + passages.length / (counts.get(stem) ?? 1));
}
