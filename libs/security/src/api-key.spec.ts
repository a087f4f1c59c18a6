import fc from 'fast-check';
import { issueKey, keyIdOf } from './api-key.js';

describe('issueKey', () => {
  it('makes keys that scanners can tell, with 256 random bits, each another', () => {
    const keys = Array.from({ length: 1_000 }, issueKey);
    expect(new Set(keys.map(({ text }) => text)).size).toBe(1_000);
    for (const { keyId, text } of keys) {
      expect(text).toMatch(/^kdr_[0-9a-f]{12}_[0-9a-f]{64}_[0-9a-f]{8}$/);
      expect(keyIdOf(text)).toBe(keyId);
    }
  });
});

describe('keyIdOf', () => {
  it('knows a key with one wrong character without asking anybody', () => {
    const { text } = issueKey();
    for (let index = 0; index < text.length; index++) {
      const other = text[index] === '0' ? '1' : '0';
      expect(keyIdOf(`${text.slice(0, index)}${other}${text.slice(index + 1)}`)).toBeNull();
    }
  });

  it('takes any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => keyIdOf(text) === null));
  });
});
