/// <reference types="jest" />
import { modelRevOf, type Embedder, type Embedding } from '#embeddings';
import { findVectorDefect } from '#kernel';

/** What the contract needs to know about an adapter. */
export interface EmbedderContractSubject {
  /** Makes an embedder of its own for the caller, who closes it; query and document prefix must be equal. */
  make(): Promise<Embedder>;
  /** Whether it only estimates how many tokens a text has; an estimate may be too high, never too low. */
  readonly isEstimating?: boolean;
}

const TEXTS = [
  'Modern kitchen with an oak worktop',
  'Treppe aus Eiche, geölt, 14 Stufen, mit Handlauf',
  'roof',
  '屋根の修理と断熱材',
  'Naïve façade – “quoted”, 12.5 m², №7 👷🏽',
  'A timber frame house for a family of five: larch cladding, wood fibre insulation, triple glazing. '.repeat(4),
];

/** The promises of the port, as tests; every adapter and every double must pass them all. */
export function describeEmbedderContract(name: string, subject: EmbedderContractSubject): void {
  describe(`embedder contract: ${name}`, () => {
    let embedder: Embedder;

    beforeAll(async () => {
      embedder = await subject.make();
      await embedder.ready();
    });

    afterAll(async () => embedder.close());

    const theEmbedder = () => embedder;
    describeVectors(theEmbedder);
    describeLimits(theEmbedder);
    describeCounting(theEmbedder, subject.isEstimating ?? false);
    describeCallers(theEmbedder);
    describeClosing(subject);
  });
}

function describeVectors(embedder: () => Embedder): void {
  it('says what it is: modelRev, dimensions and maxTokens follow from the descriptor', () => {
    const { descriptor, modelRev, dimensions, maxTokens } = embedder();
    expect({ modelRev, dimensions, maxTokens }).toEqual({
      modelRev: modelRevOf(descriptor),
      dimensions: descriptor.dimensions,
      maxTokens: descriptor.max_tokens,
    });
  });

  it('gives unit vectors of its dimension, in the order of the texts', async () => {
    const embeddings = await embedder().embedDocuments(TEXTS);
    expect(embeddings).toHaveLength(TEXTS.length);
    for (const { vector } of embeddings) {
      // Not toBeInstanceOf: jest's sandbox has a Float32Array of its own, a message from a thread brings the outer one.
      expect(Object.prototype.toString.call(vector)).toBe('[object Float32Array]');
      expect(findVectorDefect(vector, embedder().dimensions)).toBeNull();
    }
    const reversed = await embedder().embedDocuments([...TEXTS].reverse());
    expect(reversed.reverse().map(bytesOf)).toEqual(embeddings.map(bytesOf));
    expect(new Set(embeddings.map(bytesOf)).size).toBe(TEXTS.length);
  });

  it('gives a text the same vector alone and among others, as query and as document, bit for bit', async () => {
    const together = await embedder().embedDocuments(TEXTS);
    for (const [i, text] of TEXTS.entries()) {
      const [alone] = await embedder().embedDocuments([text]);
      expect(bytesOf(alone!)).toBe(bytesOf(together[i]!));
      expect(bytesOf(await embedder().embedQuery(text))).toBe(bytesOf(together[i]!));
    }
  });

  it('embeds no texts as no vectors', async () => {
    await expect(embedder().embedDocuments([])).resolves.toEqual([]);
  });

  it('finds texts that share words more alike than texts that do not', async () => {
    const [a, b, c] = await embedder().embedDocuments(['modern kitchen design', 'kitchen with oak finishes', 'slate on the roof']);
    expect(cosine(a!, b!)).toBeGreaterThan(cosine(a!, c!) + 0.1);
  });
}

function describeLimits(embedder: () => Embedder): void {
  it('cuts what is longer than it reads, and says so', async () => {
    const { maxTokens } = embedder();
    const [short, long, longer] = await embedder().embedDocuments(['oak', 'oak '.repeat(maxTokens), 'oak '.repeat(2 * maxTokens)]);
    expect(short!.isTruncated).toBe(false);
    expect(short!.tokens).toBeLessThan(maxTokens);
    expect(long).toMatchObject({ tokens: maxTokens, isTruncated: true });
    expect(longer).toMatchObject({ tokens: maxTokens, isTruncated: true });
    expect(bytesOf(longer!)).toBe(bytesOf(long!));
  });

  it('embeds empty and blank texts, all alike', async () => {
    const embeddings = await embedder().embedDocuments(['', ' ', '\n\t  \n']);
    for (const embedding of embeddings) {
      expect(findVectorDefect(embedding.vector, embedder().dimensions)).toBeNull();
      expect(embedding.isTruncated).toBe(false);
      expect(bytesOf(embedding)).toBe(bytesOf(embeddings[0]!));
    }
  });

  it.each([
    ['control characters', 'oak\u0000 \u0007stair'],
    ['a lone surrogate', 'oak \uD83D stair'],
    ['one word of 20,000 letters', 'a'.repeat(20_000)],
    ['a megabyte of text', 'oak stair with handrail '.repeat(45_000)],
    ['a megabyte of white space around a word', `${' '.repeat(500_000)}oak${'\n'.repeat(500_000)}`],
  ])('survives %s', async (_, text) => {
    const { vector } = await embedder().embedQuery(text);
    expect(findVectorDefect(vector, embedder().dimensions)).toBeNull();
  });
}

function describeCounting(embedder: () => Embedder, isEstimating: boolean): void {
  it('counts the tokens that are read of a document, special ones included, in the order of the texts', async () => {
    const texts = [...TEXTS, '', ' \n ', 'oak\u0000 \uD83D stair'];
    const embeddings = await embedder().embedDocuments(texts);
    const counts = await embedder().countTokens(texts);
    expect(counts).toHaveLength(texts.length);
    for (const [i, { tokens }] of embeddings.entries()) {
      if (isEstimating) expect(counts[i]).toBeGreaterThanOrEqual(tokens);
      else expect(counts[i]).toBe(tokens);
    }
    await expect(embedder().countTokens([])).resolves.toEqual([]);
  });

  it('counts above its limit exactly what it cuts', async () => {
    const { maxTokens } = embedder();
    const oaks = (count: number) => 'oak '.repeat(count);
    const texts = [
      ...[-4, -3, -2, -1, 0, 1].map((more) => oaks(maxTokens + more)),
      ...[oaks(maxTokens / 4), oaks(50 * maxTokens), 'a'.repeat(20_000), `${' '.repeat(500_000)}oak${'\n'.repeat(500_000)}`],
    ];
    const embeddings = await embedder().embedDocuments(texts);
    const counts = await embedder().countTokens(texts);
    expect(counts.map((count) => count > maxTokens)).toEqual(embeddings.map(({ isTruncated }) => isTruncated));
    expect(counts[7]).toBeGreaterThanOrEqual(50 * maxTokens);
  });
}

function describeCallers(embedder: () => Embedder): void {
  it('gives every caller vectors of its own', async () => {
    const before = bytesOf(await embedder().embedQuery('walnut door'));
    const [first, second] = await Promise.all([embedder().embedQuery('walnut door'), embedder().embedQuery('walnut door')]);
    first.vector.fill(0);
    expect(bytesOf(second)).toBe(before);
    expect(bytesOf(await embedder().embedQuery('walnut door'))).toBe(before);
    const [a, b] = await embedder().embedDocuments(['walnut door', 'walnut door']);
    a!.vector.fill(0);
    expect(bytesOf(b!)).toBe(before);
  });

  it('rejects with the reason of a signal that is aborted', async () => {
    const reason = new Error('the caller has left');
    const signal = AbortSignal.abort(reason);
    await expect(embedder().embedQuery('a query', { signal })).rejects.toBe(reason);
    await expect(embedder().embedDocuments(['a document'], { signal })).rejects.toBe(reason);
    await expect(embedder().countTokens(['a document'], { signal })).rejects.toBe(reason);
  });

  it('leaves the other callers of a text alone when one gives up', async () => {
    const controller = new AbortController();
    const given = embedder().embedQuery('a stair that two people look for', { signal: controller.signal });
    const kept = embedder().embedQuery('a stair that two people look for');
    const outcome = Promise.allSettled([given, kept]);
    controller.abort(new Error('the caller has left'));
    expect((await outcome)[1]).toMatchObject({ status: 'fulfilled' });
  });
}

function describeClosing(subject: EmbedderContractSubject): void {
  it('rejects what is in flight when it is closed, and everything afterwards', async () => {
    const closing = await subject.make();
    await closing.ready();
    const inFlight = [
      closing.embedQuery('closing query'),
      closing.embedDocuments(Array.from({ length: 20 }, (_, i) => `closing document ${i} `.repeat(30))),
    ];
    const outcome = Promise.allSettled(inFlight);
    await closing.close();
    for (const result of await outcome) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'search.embedder-unavailable' } });
    }
    await expect(closing.embedQuery('late')).rejects.toMatchObject({ code: 'search.embedder-unavailable' });
    await expect(closing.embedDocuments(['late'])).rejects.toMatchObject({ code: 'search.embedder-unavailable' });
    await expect(closing.countTokens(['late'])).rejects.toMatchObject({ code: 'search.embedder-unavailable' });
    await expect(closing.ready()).rejects.toMatchObject({ code: 'search.embedder-unavailable' });
    await expect(closing.close()).resolves.toBeUndefined();
  });
}

function bytesOf({ vector }: Embedding): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('hex');
}

function cosine(a: Embedding, b: Embedding): number {
  return a.vector.reduce((sum, component, i) => sum + component * b.vector[i]!, 0);
}
