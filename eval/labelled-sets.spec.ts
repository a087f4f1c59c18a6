import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sharedContentWords } from './content-words.js';
import { loadLabelledSet } from './labelled-set.js';

const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const jsonOf = (path: string): unknown => JSON.parse(readFileSync(pathOf(path), 'utf8'));

interface Row {
  readonly external_id: string;
  readonly [field: string]: unknown;
}

const SETS = {
  projects: {
    rows: jsonOf('../seed/projects.json') as Row[],
    fields: ['name', 'description', 'project_type', 'region', 'wood_type'],
    atLeast: { queries: 64, paraphrases: 20 },
    mostRelevant: 8,
  },
  documents: {
    rows: (jsonOf('../seed/documents.json') as { documents: Row[] }).documents,
    fields: ['title', 'content'],
    atLeast: { queries: 84, paraphrases: 28 },
    mostRelevant: 4,
  },
};

describe.each(Object.entries(SETS))('eval/%s', (name, { rows, fields, atLeast, mostRelevant }) => {
  const set = loadLabelledSet(pathOf(`./${name}/queries.jsonl`), pathOf(`./${name}/qrels.jsonl`));
  const textOf = new Map(rows.map((row) => [row.external_id, fields.map((field) => row[field]).join('\n')]));
  const paraphrases = set.queries.filter(({ style }) => style === 'paraphrase');

  it('has as many queries and paraphrases as promised, half of them in each language', () => {
    expect(set.queries.length).toBeGreaterThanOrEqual(atLeast.queries);
    expect(paraphrases.length).toBeGreaterThanOrEqual(atLeast.paraphrases);
    for (const queries of [set.queries, paraphrases]) {
      const german = queries.filter(({ language }) => language === 'de').length / queries.length;
      expect(german).toBeGreaterThan(0.45);
      expect(german).toBeLessThan(0.55);
    }
  });

  it('gives every query a language and a style it knows, an id in order and a text of its own', () => {
    expect(new Set(set.queries.map(({ language }) => language))).toEqual(new Set(['de', 'en']));
    expect(new Set(set.queries.map(({ style }) => style))).toEqual(new Set(['keywords', 'sentence', 'paraphrase']));
    const prefix = name.charAt(0).toUpperCase();
    expect(set.queries.map(({ id }) => id)).toEqual(set.queries.map((_, index) => `${prefix}${String(index + 1).padStart(3, '0')}`));
    expect(new Set(set.queries.map(({ text }) => text)).size).toBe(set.queries.length);
  });

  it('judges every query, with grades of 1 to 3, documents that exist, and one that answers', () => {
    expect(set.unjudged).toBe(0);
    for (const { id, relevant } of set.queries) {
      expect([id, [...relevant.keys()].filter((document) => !textOf.has(document))]).toEqual([id, []]);
      expect([id, Math.max(...relevant.values())]).toEqual([id, 3]);
      expect([id, relevant.size <= mostRelevant]).toEqual([id, true]);
    }
  });

  it.each(paraphrases.map((query) => [query.id, query] as const))(
    '%s shares no content word with what it seeks',
    (_, { text, relevant }) => {
      for (const document of relevant.keys()) expect(sharedContentWords(text, textOf.get(document)!)).toEqual([]);
    },
  );
});
