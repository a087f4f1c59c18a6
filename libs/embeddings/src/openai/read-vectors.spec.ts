import { findVectorDefect } from '#kernel';
import { SeededRandom } from '#testing';
import { goodItems, malformedReply, replyBody as bodyOf, replyItem as itemOf } from '../../test/malformed-reply.js';
import { readVectors } from './read-vectors.js';

const SEED = 20_261_126;
const DIMENSIONS = 3;

const good = (count: number) => bodyOf(Array.from({ length: count }, (_, i) => itemOf(i)));

describe('readVectors', () => {
  it('gives unit vectors in the order of the indexes, whatever the order of the reply', () => {
    const { vectors, usedTokens } = readVectors(bodyOf([itemOf(2), itemOf(0), itemOf(1)], { usage: { total_tokens: 12 } }), 3, DIMENSIONS);
    expect(vectors).toHaveLength(3);
    for (const [i, vector] of vectors.entries()) {
      expect(findVectorDefect(vector, DIMENSIONS)).toBeNull();
      expect(vector[0]! / vector[1]!).toBeCloseTo((i + 1) / 2, 6);
    }
    expect(usedTokens).toBe(12);
    expect(readVectors(good(1), 1, DIMENSIONS).usedTokens).toBe(0);
  });

  it.each([
    ['nothing', ''],
    ['a page', '<html>Bad Gateway</html>'],
    ['NaN, as Python writes it', good(2).replace('[1,', '[NaN,')],
    ['null', 'null'],
    ['a list', '[]'],
    ['no data', '{}'],
    ['data of another kind', bodyOf({ 0: itemOf(0), 1: itemOf(1), length: 2 })],
    ['too few', good(1)],
    ['too many', good(3)],
    ['an index twice', bodyOf([itemOf(0), itemOf(0)])],
    ['an index that is not there', bodyOf([itemOf(0), itemOf(2)])],
    ['a negative index', bodyOf([itemOf(0), itemOf(-1)])],
    ['an index as text', bodyOf([itemOf(0), { ...itemOf(1), index: '1' }])],
    ['no index', bodyOf([{ embedding: [1, 0, 0] }, itemOf(1)])],
    ['null in the place of an item', bodyOf([null, itemOf(1)])],
    ['no vector', bodyOf([{ index: 0 }, itemOf(1)])],
    ['a vector in base64', bodyOf([{ index: 0, embedding: 'AACAPwAAAAAAAAAA' }, itemOf(1)])],
    ['too few components', bodyOf([{ index: 0, embedding: [1, 0] }, itemOf(1)])],
    ['too many components', bodyOf([{ index: 0, embedding: [1, 0, 0, 0] }, itemOf(1)])],
    ['numbers as text', bodyOf([{ index: 0, embedding: ['1', '0', '0'] }, itemOf(1)])],
    ['null for a number', bodyOf([{ index: 0, embedding: [1, null, 0] }, itemOf(1)])],
    ['a zero vector', bodyOf([{ index: 0, embedding: [0, 0, -0] }, itemOf(1)])],
    ['more than float32 holds', bodyOf([{ index: 0, embedding: [1e39, 0, 0] }, itemOf(1)])],
    ['1e400, which is infinite', good(2).replace('[1,', '[1e400,')],
    ['so little that it vanishes', bodyOf([{ index: 0, embedding: [1e-60, 0, 0] }, itemOf(1)])],
    ['a list that only looks like a vector', bodyOf([{ index: 0, embedding: { length: 3, 0: 1, 1: 0, 2: 0 } }, itemOf(1)])],
  ])('refuses %s', (_, body) => {
    expect(() => readVectors(body, 2, DIMENSIONS)).toThrow(expect.objectContaining({ kind: 'malformed' }));
  });

  it('says what dimension a vector has, and which it should have', () => {
    expect(() => readVectors(good(1), 1, 1536)).toThrow('a vector of 3 dimensions instead of 1536');
  });

  it('repeats nothing that the provider wrote', () => {
    try {
      readVectors('canary-7f3a {', 1, DIMENSIONS);
    } catch (error) {
      expect(JSON.stringify([error, String((error as Error).cause), (error as Error).stack])).not.toContain('canary-7f3a');
      return;
    }
    throw new Error('Nothing was thrown');
  });
});

describe('readVectors, fuzzed', () => {
  it(`accepts none of 400 malformed replies (seed ${SEED})`, () => {
    const random = new SeededRandom(SEED);
    for (let trial = 0; trial < 400; trial++) {
      const count = 1 + Math.floor(random.next() * 6);
      const data = goodItems(count, random);
      // Nothing but the mutation may be the reason of the refusal.
      expect(() => readVectors(bodyOf(data), count, DIMENSIONS)).not.toThrow();
      const body = malformedReply(data, random);
      const refused = expect.objectContaining({ kind: 'malformed' });
      try {
        expect(() => readVectors(body, count, DIMENSIONS)).toThrow(refused);
      } catch (error) {
        throw new Error(`Seed ${SEED}, trial ${trial}: accepted for ${count} texts: ${body}`, { cause: error });
      }
    }
  });
});
