import { loadClientConfig } from './client-config.js';

const CANARY = 'canary-7f3a';

describe('loadClientConfig', () => {
  it('has no key by default, and keeps one from plain http', () => {
    expect(loadClientConfig({})).toEqual({ apiKey: null, allowsPlaintext: false });
    expect(loadClientConfig({ KINDRED_ALLOW_PLAINTEXT: 'true' }).allowsPlaintext).toBe(true);
  });

  it('reads the key, whatever is wrong with the configuration of the service', () => {
    expect(loadClientConfig({ KINDRED_API_KEY: 'kd_1', PORT: 'x' }).apiKey).toBe('kd_1');
  });

  it.each([{ KINDRED_API_KEY: `${CANARY} two` }, { KINDRED_API_KEY_FILE: `/${CANARY}` }])(
    'refuses %j without printing it',
    (environment) => {
      expect(() => loadClientConfig(environment)).toThrow(/KINDRED_API_KEY/);
      try {
        loadClientConfig(environment);
      } catch (error) {
        expect(String(error)).not.toContain(CANARY);
      }
    },
  );
});
