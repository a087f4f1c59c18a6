import { bestSentence } from './best-sentence.js';
import { extractiveAnswer } from './extractive-answer.js';
import type { Passage } from './query.js';
import { snippetOf } from './snippet.js';

const passage = (id: string, text: string, similarity: number | null, { documentId = id, word = null as number | null } = {}): Passage =>
  ({
    id,
    text,
    language: 'en',
    start: 0,
    end: text.length,
    document: { id: documentId, title: `Title ${id}`, external_id: null },
    similarity,
    rank: 1,
    // As the second of a list, whatever it says, stands to the first.
    scores: { vector: null, keyword: word === null ? null : { score: word, rank: 1 }, fused: 1 / 62 },
    snippet: '',
  }) as unknown as Passage;

describe('bestSentence', () => {
  const sentenceOf = (query: string, text: string) => {
    const span = bestSentence(query, text, 'de');
    return span === null ? null : text.slice(span.start, span.end);
  };

  it('is the one with most words of the query, in any form', () => {
    const text = 'Eiche ist hart. Treppen aus Esche sind zäh. Kiefer ist weich.';
    expect(sentenceOf('Welches Holz für eine Treppe aus Esche?', text)).toBe('Treppen aus Esche sind zäh.');
  });
  it('is the first one when none has any, or several have as many', () => {
    expect(sentenceOf('xyz', 'Eins. Zwei.')).toBe('Eins.');
    expect(sentenceOf('Eiche', 'Eiche A. Eiche B.')).toBe('Eiche A.');
  });
  it('is none of nothing', () => expect(sentenceOf('Eiche', ' ')).toBeNull());
});

describe('snippetOf', () => {
  it('marks the best sentence', () => {
    const text = 'One. Two is best. Three.';
    expect(snippetOf(text, { start: 5, end: 17 })).toBe('One. **Two is best.** Three.');
    expect(snippetOf(text, null)).toBe(text);
  });
  it('keeps whole words around it, and says where it was cut', () => {
    const text = `${'before '.repeat(100)}Here it is. ${'after '.repeat(100)}`;
    const snippet = snippetOf(text, { start: 700, end: 711 });
    expect(snippet).toMatch(/^…(before )+\*\*Here it is\.\*\*( after)+…$/);
    expect(snippet.length).toBeLessThan(360);
  });
  it('never cuts the sentence itself', () => {
    const long = `${'word '.repeat(200)}end.`;
    expect(snippetOf(`Short. ${long}`, { start: 7, end: 7 + long.length })).toContain(`**${long}**`);
  });
});

describe('extractiveAnswer', () => {
  it('is the best passage in its own words, with its citation', () => {
    const answer = extractiveAnswer('wood for stairs', [passage('a', 'Oak  is\nhard.', 0.7), passage('b', 'Pine dents.', 0.6)]);
    expect(answer).toEqual({
      text: 'Oak is hard. [1]',
      mode: 'extractive',
      citations: [{ number: 1, document_id: 'a', title: 'Title a', external_id: null, chunk_id: 'a', start: 0, end: 13 }],
    });
  });
  it('has a second passage of another document that is nearly as good', () => {
    const { text, citations } = extractiveAnswer('q', [
      passage('a', 'A.', 0.7),
      passage('b', 'B.', 0.7, { documentId: 'a' }),
      passage('c', 'C.', 0.69),
    ]);
    expect([text, citations.map(({ chunk_id }) => chunk_id)]).toEqual(['A. [1]\n\nC. [2]', ['a', 'c']]);
  });
  it.each([
    ['as alike', [0.7, null], [0.69, null], true],
    ['less alike', [0.7, null], [0.66, null], false],
    ['with as many words, found by words alone', [null, 0.4], [null, 0.4], true],
    ['with fewer words, found by words alone', [null, 0.4], [null, 0.3], false],
    ['as alike, with fewer words', [0.7, 0.4], [0.7, 0.3], false],
    ['as alike, without the words', [0.7, 0.4], [0.7, null], false],
    ['with the words, less alike', [0.6, 0.4], [0.5, 0.4], false],
    ['that the index does not have yet', [0.7, 0.4], [null, 0.4], false],
    ['that has words beside', [0.7, null], [0.7, 0.4], true],
  ] as const)('has a second passage %s: %j, %j: %s', (_, [best, bestWord], [similarity, word], isThere) => {
    const { citations } = extractiveAnswer('q', [passage('a', 'A.', best, { word: bestWord }), passage('b', 'B.', similarity, { word })]);
    expect(citations).toHaveLength(isThere ? 2 : 1);
  });
  it('has no number in brackets but its own citations', () => {
    const { text } = extractiveAnswer('q', [passage('a', 'Oak is hard [3], see 【2】 and [1, 2].', 0.7)]);
    expect(text).toBe('Oak is hard (3), see (2) and (1, 2). [1]');
  });
  it('takes the sentences that matter out of a long passage', () => {
    const filler = 'The yard is swept on Fridays and the tools are put away. '.repeat(12);
    const { text } = extractiveAnswer('moisture of oak', [
      passage('a', `${filler}Oak for stairs has a moisture of 8 to 10 %. Then it rests. ${filler}`, 1),
    ]);
    expect(text).toMatch(/^Oak for stairs has a moisture of 8 to 10 %\. Then it rests\./);
    expect(text.length).toBeLessThan(250);
  });
  it('says in the language of the question that nothing was found', () => {
    expect(extractiveAnswer('Welches Holz ist das und wie hart ist es?', [])).toMatchObject({
      text: 'Dazu steht nichts in den Dokumenten.',
      citations: [],
    });
    expect(extractiveAnswer('Geölt?', []).text).toBe('Dazu steht nichts in den Dokumenten.');
    expect(extractiveAnswer('What is it?', []).text).toBe('The documents say nothing about that.');
  });
});
