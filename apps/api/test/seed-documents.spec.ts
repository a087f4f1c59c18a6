import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface SeedDocument {
  readonly external_id: string;
  readonly title: string;
  readonly content: string;
  readonly kind: string;
  readonly language: 'de' | 'en';
  readonly metadata: { readonly topic: string };
}

const TOPICS = [
  'quotes',
  'woods',
  'surfaces',
  'stairs',
  'windows',
  'doors',
  'roofs',
  'floors',
  'kitchens',
  'terraces',
  'furniture',
  'timber-frame',
  'rules',
];
/** Longer than the bundled model reads at once, in both languages. */
const LONG_WORDS = 230;

/** Words that are frequent in one of the two languages and are no words of the other. */
const GERMAN = /\b(der|die|das|und|mit|ein|eine|auf|ist|für|im|den|wird|werden)\b/giu;
const ENGLISH = /\b(the|and|with|a|of|to|for|are|is|that|from|by)\b/giu;

const { collection, documents } = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../../seed/documents.json', import.meta.url)), 'utf8'),
) as { collection: Record<string, string>; documents: SeedDocument[] };

const countOf = (text: string, words: RegExp): number => (text.match(words) ?? []).length;
const wordsOf = (text: string): number => text.split(/\s+/u).length;

describe('seed/documents.json', () => {
  it('names its collection', () => {
    expect(collection).toEqual({ name: 'craft-faq', description: expect.stringMatching(/\.$/u) });
  });

  it('holds at least 48 documents, half of them German, and every topic more than once', () => {
    expect(documents.length).toBeGreaterThanOrEqual(48);
    expect(documents.filter(({ language }) => language === 'de').length).toBe(documents.length / 2);
    expect(new Set(documents.map(({ metadata }) => metadata.topic))).toEqual(new Set(TOPICS));
    for (const topic of TOPICS) {
      expect([topic, documents.filter(({ metadata }) => metadata.topic === topic).length > 1]).toEqual([topic, true]);
    }
  });

  it('numbers the documents without gaps, gives each the same fields, and repeats no title and no content', () => {
    expect(documents.map(({ external_id }) => external_id)).toEqual(
      documents.map((_, index) => `FAQ-${String(index + 1).padStart(4, '0')}`),
    );
    for (const document of documents) {
      expect(Object.keys(document)).toEqual(['external_id', 'title', 'content', 'kind', 'language', 'metadata']);
      expect(document.kind).toBe('faq');
    }
    expect(new Set(documents.map(({ title }) => title)).size).toBe(documents.length);
    expect(new Set(documents.map(({ content }) => content)).size).toBe(documents.length);
  });

  it.each(documents.map((document) => [document.external_id, document] as const))(
    '%s is written in the language it names',
    (_, document) => {
      const text = `${document.title} ${document.content}`;
      const [german, english] = [countOf(text, GERMAN), countOf(text, ENGLISH)];
      expect(german > english ? 'de' : 'en').toBe(document.language);
    },
  );

  it('has answers of a few sentences, and some with headings that are cut into chunks', () => {
    const long = documents.filter(({ content }) => wordsOf(content) > LONG_WORDS);
    expect(long.length).toBeGreaterThanOrEqual(5);
    expect(new Set(long.map(({ language }) => language))).toEqual(new Set(['de', 'en']));
    for (const { content } of long) expect(content.match(/^## .+$/gmu)?.length).toBeGreaterThanOrEqual(3);
    for (const { external_id, content } of documents.filter((document) => !long.includes(document))) {
      const words = wordsOf(content);
      expect([external_id, words >= 30 && words <= 150]).toEqual([external_id, true]);
    }
  });
});
