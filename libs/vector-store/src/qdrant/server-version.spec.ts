import { judgeServerVersion } from './server-version.js';

describe('judgeServerVersion', () => {
  it.each(['1.19.0', '1.19.2', '1.20.0-dev', '2.0.0'])('supports %s in full', (version) => {
    expect(judgeServerVersion(version)).toBe('full');
  });

  it.each(['1.18.0', '1.18.3'])('supports %s with limits', (version) => {
    expect(judgeServerVersion(version)).toBe('limited');
  });

  it.each(['1.17.1', '1.9.0', '0.11.0'])('refuses %s and names what is needed', (version) => {
    expect(() => judgeServerVersion(version)).toThrow(`Qdrant ${version} is too old: 1.18 or later is needed`);
  });

  it.each(['', 'undefined', 'nightly'])('refuses what is no version: %j', (version) => {
    expect(() => judgeServerVersion(version)).toThrow('1.18 or later is needed');
  });
});
