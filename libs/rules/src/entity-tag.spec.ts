import { DomainError } from '#kernel';
import { entityTagOf, expectedVersionsOf, isNotModified, writeConditionOf } from './entity-tag.js';

describe('entity tags', () => {
  it('names a version', () => {
    expect(entityTagOf(7)).toBe('"v7"');
  });

  describe('If-Match', () => {
    it.each([
      ['"v3"', [3]],
      [' "v3" ', [3]],
      ['"v3", "v4"', [3, 4]],
      ['"v3","v4"', [3, 4]],
      ['*', null],
      ['W/"v3"', []],
      ['W/"v3", "v4"', [4]],
      ['"something-else"', []],
      ['"v0"', []],
      ['"v03"', []],
      ['"v99999999999"', []],
      ['"v4294967296"', []],
      ['""', []],
    ])('%s accepts %p', (header, versions) => {
      expect(expectedVersionsOf(header, true)).toEqual(versions);
    });

    it.each(['v3', '"a b"', '"v3', '"v3" "v4"', 'W/v3', '', '"v3",', '*, "v3"', '"\u00ff\0"'])('%p is no list of tags', (header) => {
      expect(() => expectedVersionsOf(header, false)).toThrow(expect.objectContaining({ code: 'request.invalid' }));
    });

    it('may be missing, unless it is required', () => {
      expect(expectedVersionsOf(undefined, false)).toBeNull();
      expect(() => expectedVersionsOf(undefined, true)).toThrow(new DomainError('request.precondition-required'));
    });

    it('is read in linear time', () => {
      const startedAtMs = performance.now();
      expect(() => expectedVersionsOf(`${'"v1", '.repeat(8_000)}x`, false)).toThrow();
      expect(() => expectedVersionsOf(`${'W/'.repeat(25_000)}"`, false)).toThrow();
      expect(performance.now() - startedAtMs).toBeLessThan(100);
    });
  });

  describe('If-None-Match', () => {
    it.each([
      [undefined, false],
      ['"v3"', true],
      ['W/"v3"', true],
      ['"v2", "v3"', true],
      ['*', true],
      ['"v2"', false],
      ['"v33"', false],
    ])('%s against version 3: %s', (header, expected) => {
      expect(isNotModified(header, 3)).toBe(expected);
    });
  });

  describe('of a write that may create', () => {
    it.each([
      [undefined, undefined, { expected: null, refused: [] }],
      ['*', undefined, { expected: 'any', refused: [] }],
      ['"v3", W/"v4"', undefined, { expected: [3], refused: [] }],
      ['"foreign"', undefined, { expected: [], refused: [] }],
      [undefined, '*', { expected: null, refused: 'any' }],
      [undefined, '"v3", W/"v4"', { expected: null, refused: [3, 4] }],
      ['"v3"', '"v4"', { expected: [3], refused: [4] }],
    ])('If-Match %s, If-None-Match %s', (ifMatch, ifNoneMatch, condition) => {
      expect(writeConditionOf(ifMatch, ifNoneMatch)).toEqual(condition);
    });

    it('refuses what is no list of tags', () => {
      expect(() => writeConditionOf('v3', undefined)).toThrow(expect.objectContaining({ code: 'request.invalid' }));
      expect(() => writeConditionOf(undefined, 'v3')).toThrow(expect.objectContaining({ code: 'request.invalid' }));
    });
  });
});
