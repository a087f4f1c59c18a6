import { addScopes, parseDuration, parseExpiry } from './key-request.js';

const NOW = Date.parse('2026-11-26T00:00:00Z');

describe('the words of keys create', () => {
  it('adds up scopes', () => {
    expect(addScopes('read')).toEqual(['read']);
    expect(addScopes('write,admin', addScopes('admin'))).toEqual(['admin', 'write']);
    expect(() => addScopes('root')).toThrow('--scope');
    expect(() => addScopes('')).toThrow('--scope');
  });

  it.each([
    ['90s', 90],
    ['30m', 1_800],
    ['12h', 43_200],
    ['7d', 604_800],
  ])('%s is %i seconds', (text, seconds) => {
    expect(parseDuration('--overlap', text)).toBe(seconds);
  });

  it.each(['', '7', 'd', '7w', '-1d'])('refuses the duration %j', (text) => {
    expect(() => parseDuration('--overlap', text)).toThrow('--overlap');
  });

  it('reads when a key expires', () => {
    expect(parseExpiry('1d', NOW)).toBe('2026-11-27T00:00:00.000Z');
    expect(parseExpiry('2027-01-01', NOW)).toBe('2027-01-01T00:00:00.000Z');
    expect(parseExpiry('2027-01-01T01:00:00+01:00', NOW)).toBe('2027-01-01T00:00:00.000Z');
    for (const text of ['tomorrow', '2027', '2026-11-25', '2026-13-01']) expect(() => parseExpiry(text, NOW)).toThrow('--expires');
  });
});
