import { DomainError } from '#kernel';
import fc from 'fast-check';
import type { ConsistencyToken } from './consistency-token.js';
import { decodeConsistencyToken, encodeConsistencyToken } from './consistency-token.codec.js';

const SEED = 20261122;
const RUNS = { seed: SEED, numRuns: 300 };

const tokens: fc.Arbitrary<ConsistencyToken> = fc.record({
  source: fc.stringMatching(/^[a-z][a-z0-9_-]{0,99}$/),
  id: fc.uuid(),
  generationId: fc.integer({ min: 0, max: 2_147_483_647 }),
  version: fc.maxSafeNat(),
});
const decode = (text: string) => decodeConsistencyToken(text, '/consistency_token');

/** What decoding does: the token, or the error that is the only one allowed. */
function outcomeOf(text: string): ConsistencyToken | 'refused' {
  try {
    return decode(text);
  } catch (error) {
    expect(error).toBeInstanceOf(DomainError);
    expect(error).toMatchObject({ code: 'request.invalid', fields: [{ pointer: '/consistency_token', code: 'invalid-token' }] });
    if (text.length > 20) expect((error as DomainError).detail).not.toContain(text);
    return 'refused';
  }
}

describe(`consistency tokens (seed ${SEED})`, () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(tokens, (token) => {
        const text = encodeConsistencyToken(token);
        expect(decode(text)).toEqual(token);
        expect(text).toMatch(/^[A-Za-z0-9_-]{46,180}$/);
      }),
      RUNS,
    );
  });

  it('refuse every other text, and throw nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), fc.stringMatching(/^[A-Za-z0-9_-]{0,120}$/)), (text) => {
        expect(outcomeOf(text)).toBe('refused');
      }),
      RUNS,
    );
  });

  it('refuse a token with any one character changed, cut off or added', () => {
    const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ \n\u00e4'];
    fc.assert(
      fc.property(tokens, fc.nat(), fc.constantFrom(...alphabet), (token, seat, letter) => {
        const text = encodeConsistencyToken(token);
        const at = seat % text.length;
        if (text[at] !== letter) expect(outcomeOf(`${text.slice(0, at)}${letter}${text.slice(at + 1)}`)).toBe('refused');
        expect(outcomeOf(text.slice(0, at))).toBe('refused');
        expect(outcomeOf(`${text}${letter}`)).toBe('refused');
      }),
      RUNS,
    );
  });

  it('refuse numbers that the database or the language cannot hold, and other formats, whole as they are', () => {
    const valid = { source: 'projects', id: '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11', generationId: 1, version: 1 };
    expect(outcomeOf(encodeConsistencyToken({ ...valid, generationId: 2 ** 31 }))).toBe('refused');
    expect(outcomeOf(encodeConsistencyToken({ ...valid, version: 2 ** 53 }))).toBe('refused');
    expect(outcomeOf(encodeConsistencyToken({ ...valid, source: "a'b" }))).toBe('refused');
    expect(outcomeOf(encodeConsistencyToken({ ...valid, source: '' }))).toBe('refused');
    expect(outcomeOf(encodeConsistencyToken({ ...valid, source: 'a'.repeat(101) }))).toBe('refused');
  });
});
