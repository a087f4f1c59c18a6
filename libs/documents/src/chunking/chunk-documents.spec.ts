import fc from 'fast-check';
import { chunkDocuments, type ChunkableDocument } from './chunk-documents.js';

const SEED = 20261125;
const ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';

/** Double of a model: a word is a token, and begin and end marker are two. */
const limits = {
  maxTokens: 64,
  countTokens: async (texts: readonly string[]) => texts.map((text) => 2 + (text.match(/\S+/g) ?? []).length),
};
/** Double of a service that counts bytes of what it is sent, which is trimmed and never empty. */
const byteLimits = {
  maxTokens: 512,
  countTokens: async (texts: readonly string[]) => texts.map((text) => 2 + Buffer.byteLength(text.trim() || ' ')),
};

function documentOf(content: string, fields: Partial<ChunkableDocument> = {}): ChunkableDocument {
  return { id: ID, title: 'Stairs', content, language: 'en', chunkTokens: 40, overlapTokens: 8, ...fields };
}

async function chunk(content: string, fields: Partial<ChunkableDocument> = {}) {
  return (await chunkDocuments([documentOf(content, fields)], limits))[0]!;
}

const words = (count: number, start = 0) => Array.from({ length: count }, (_, index) => `word${start + index}`).join(' ');
const sentences = (count: number, length: number, start = 0) =>
  Array.from({ length: count }, (_, index) => `S${start + index} ${words(length - 1, index)}.`).join(' ');

/** As long as a document may be, and each what one kind of search in it would need the square of the time for. */
const LENGTH = 300_000;
const HOSTILE = {
  'a heading with spaces inside': `# a${' '.repeat(LENGTH)}b`,
  'a heading with marks and spaces': `# ${'# '.repeat(LENGTH / 2)}b`,
  'spaces that end in no heading': `#${' '.repeat(LENGTH)}\u2028b`,
  'a long heading with many below it': `# ${'a '.repeat(LENGTH / 4)}\n${'## b\n'.repeat(LENGTH / 50)}`,
  'sentences of one word': 'Aa. '.repeat(LENGTH / 4),
  'lines of one word': 'a\n\n'.repeat(LENGTH / 3),
  'white space alone': ' \t\r'.repeat(LENGTH / 3),
  'a word without end': 'x'.repeat(LENGTH),
  'signs without a word': '.?'.repeat(LENGTH / 2),
};

describe('chunkDocuments', () => {
  it('keeps what fits whole, with the title as context', async () => {
    const [only, ...others] = await chunk('One paragraph.\n\nAnother one.');
    expect(others).toEqual([]);
    expect(only).toMatchObject({ ordinal: 0, start: 0, end: 28, context: 'Stairs', text: 'One paragraph.\n\nAnother one.' });
  });

  it('has one chunk for a document without content', async () => {
    expect(await chunk('')).toMatchObject([{ start: 0, end: 0, context: 'Stairs', text: '' }]);
    expect(await chunk(' \n\n ')).toMatchObject([{ context: 'Stairs', text: '' }]);
  });

  it('begins anew at headings, which are context and not text', async () => {
    const chunks = await chunk('# Stairs\n\nIntro.\n\n## Oak\n\nHard.\n\n### Price\nHigh.\n\n## Ash\nTough.\n\n## Empty');
    expect(chunks.map(({ context, text }) => [context, text])).toEqual([
      ['Stairs', 'Intro.'],
      ['Stairs\nOak', 'Hard.'],
      ['Stairs\nOak\nPrice', 'High.'],
      ['Stairs\nAsh', 'Tough.'],
      ['Stairs\nEmpty', '## Empty'],
    ]);
  });

  it.each([
    ['## Oak ##', 'Oak'],
    ['#\tOak #  ', 'Oak'],
    ['# C#', 'C#'],
    ['   ###### Oak', 'Oak'],
  ])('reads the heading %j', async (line, heading) => {
    expect(await chunk(`${line}\nHard.`)).toMatchObject([{ context: `Stairs\n${heading}`, text: 'Hard.' }]);
  });

  it.each(['    # Oak', '#Oak', '####### Oak', '# #', `# ${'x'.repeat(500)}`])('takes %j for no heading', async (line) => {
    expect(await chunk(`${line}\nHard.`)).toMatchObject([{ context: 'Stairs', text: `${line}\nHard.`.trim() }]);
  });

  it.each(Object.entries(HOSTILE))(
    'cuts %s in the time that its length takes',
    async (_name, content) => {
      const startMs = performance.now();
      for (const counter of [limits, byteLimits]) {
        const [chunks] = await chunkDocuments([documentOf(content)], counter);
        expect(chunks!.length).toBeGreaterThan(0);
      }
      expect(performance.now() - startMs).toBeLessThan(15_000);
    },
    60_000,
  );

  it('takes no line of code for a heading, and no blank line in it for a border', async () => {
    const code = '```sh\n# not a heading\n\nmake\n```';
    expect((await chunk(`Before.\n\n${code}\n\nAfter.`, { chunkTokens: 14 })).map(({ text }) => text)).toContain(code);
  });

  it('gives equal headings chunks of their own', async () => {
    const chunks = await chunk('## Price\nHigh.\n\n## Price\nLow.');
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(2);
  });

  it('cuts a long paragraph between sentences and repeats the last ones', async () => {
    const chunks = await chunk(sentences(40, 6));
    expect(chunks.length).toBeGreaterThan(5);
    for (const { text } of chunks) expect(text).toMatch(/^S\d+ .*\.$/s);
    const overlaps = chunks.slice(1).filter(({ start }, index) => start < chunks[index]!.end);
    expect(overlaps.length).toBeGreaterThan(0);
  });

  it('cuts a sentence without end, and a word without end', async () => {
    for (const content of [words(200), 'x'.repeat(500), `${'🪵'.repeat(300)}`]) {
      const counter = {
        maxTokens: 40,
        // Every character is a token.
        countTokens: async (texts: readonly string[]) => texts.map((text) => 2 + [...text].length),
      };
      const [chunks] = await chunkDocuments([documentOf(content)], counter);
      for (const { context, text } of chunks!) {
        expect([...context].length + [...text].length + 2).toBeLessThanOrEqual(40);
        expect(text.isWellFormed()).toBe(true);
      }
      expect(chunks!.map(({ text }) => text.replace(/\s/g, '')).join('')).toBe(content.replace(/\s/g, ''));
    }
  });

  it('leaves half of a chunk to the text, however long the title is', async () => {
    const [first] = await chunk(sentences(3, 8), { title: words(500) });
    expect(first!.context.split(/\s+/).length).toBeLessThanOrEqual(20);
    expect(first!.text).not.toBe('');
  });

  it('reads no more than the model, whatever the collection says', async () => {
    const chunks = await chunk(sentences(60, 6), { chunkTokens: 5_000 });
    for (const { context, text } of chunks) expect((await limits.countTokens([`${context}\n${text}`]))[0]).toBeLessThanOrEqual(64);
  });

  it.each([
    ['paragraphs', Array.from({ length: 40 }, (_, index) => words(6, index)).join('\n'.repeat(10))],
    ['sentences', Array.from({ length: 80 }, (_, index) => `S${index} ${words(4, index)}.`).join(' '.repeat(10))],
  ])('counts what stands between %s', async (_name, content) => {
    const [chunks] = await chunkDocuments([documentOf(content, { chunkTokens: 256 })], byteLimits);
    const counts = await byteLimits.countTokens(chunks!.map(({ context, text }) => `${context}\n${text}`));
    expect(counts.filter((count) => count > 256)).toEqual([]);
    expect(Math.max(...counts)).toBeGreaterThan(128);
  });

  it('makes ids from any UUID that PostgreSQL takes', async () => {
    const id = '0cc175b9-c0f1-b6a8-31c3-99e269772661';
    const [first] = await chunk('Oak.', { id });
    expect(first!.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(first!.id).not.toBe((await chunk('Oak.'))[0]!.id);
  });

  it('keeps the ids that it has given', async () => {
    expect((await chunk('# Oak\nHard.'))[0]!.id).toBe('1488e631-e355-5ef4-8511-658664737423');
  });

  it('changes at most three chunks of a hundred for one sentence', async () => {
    const wide = { ...limits, maxTokens: 256 };
    const chunkWide = async (content: string) =>
      (await chunkDocuments([documentOf(content, { chunkTokens: 200, overlapTokens: 24 })], wide))[0]!;
    const paragraphs = {
      'long paragraphs': Array.from({ length: 25 }, (_, index) => sentences(40, 15, index * 40)),
      'paragraphs of the size of a chunk': Array.from({ length: 110 }, (_, index) => sentences(10, 15, index * 10)),
      'short paragraphs': Array.from({ length: 900 }, (_, index) => sentences(1, 15, index)),
      'one paragraph': [sentences(900, 15)],
    };
    for (const [name, texts] of Object.entries(paragraphs)) {
      const before = await chunkWide(texts.join('\n\n'));
      expect([name, before.length > 90]).toEqual([name, true]);
      const edited = texts.join('\n\n').split('. ');
      const changed: number[] = [];
      for (const place of [0.1, 0.35, 0.5, 0.77, 0.9].map((part) => Math.floor(part * edited.length))) {
        const content = edited.map((sentence, index) => (index === place ? `${sentence} and three more words` : sentence)).join('. ');
        const known = new Set(before.map(({ context, text }) => `${context}\n${text}`));
        changed.push((await chunkWide(content)).filter(({ context, text }) => !known.has(`${context}\n${text}`)).length);
      }
      expect([name, changed.filter((count) => count > 3)]).toEqual([name, []]);
    }
  });

  it(`loses no word, and says where each chunk stands (seed ${SEED})`, async () => {
    const part = fc.oneof(
      fc
        .array(fc.constantFrom('oak', 'ash.', 'z. B.', 'Holz', '12 %', '🪵', 'Wie?'), { minLength: 1, maxLength: 60 })
        .map((list) => list.join(' ')),
      fc.tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom('Oak', 'Ash', 'Price')).map(([rank, name]) => `${'#'.repeat(rank)} ${name}`),
      fc.constantFrom('```', '\r', ' ', '#', '# '),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 20 }), fc.constantFrom('\n', '\n\n', '\r\n\r\n'), async (parts, separator) => {
        const content = parts.join(separator);
        const chunks = await chunk(content);
        expect(await chunk(content)).toEqual(chunks);
        expect(new Set(chunks.map(({ id }) => id)).size).toBe(chunks.length);
        for (const { start, end, text, context } of chunks) {
          expect(content.slice(start, end)).toBe(text);
          expect((await limits.countTokens([`${context}\n${text}`]))[0]).toBeLessThanOrEqual(40);
        }
        const kept = chunks.map(({ context, text }) => `${context} ${text}`).join(' ');
        for (const word of content.match(/[\p{L}\d]+/gu) ?? []) expect(kept).toContain(word);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});
