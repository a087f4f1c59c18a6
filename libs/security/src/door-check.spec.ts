import { loadConfig } from '#config';
import type { ApiKeys } from './api-keys.js';
import { DoorCheck } from './door-check.js';

describe('DoorCheck', () => {
  const check = (environment: Record<string, string>, hasAny: boolean, ofAnotherPepper = 0) => {
    const keys = { count: () => Promise.resolve({ good: hasAny ? 1 : 0, ofAnotherPepper }) } as unknown as ApiKeys;
    return new DoorCheck(loadConfig(environment).security, keys).run();
  };

  it.each<Record<string, string>>([{ NODE_ENV: 'production' }, { AUTH: 'required' }, { HOST: '0.0.0.0' }])(
    '%j does not start without a key, and says how to make one',
    async (environment) => {
      await expect(check(environment, false)).rejects.toThrow(/kindred keys create --direct[\s\S]*KINDRED_BOOTSTRAP_KEY/);
      await expect(check(environment, true)).resolves.toBeUndefined();
      await expect(check({ ...environment, KINDRED_BOOTSTRAP_KEY: 'x'.repeat(32) }, false)).resolves.toBeUndefined();
    },
  );

  it('says of keys that another pepper made what would make them good again, as after a restore into another data directory', async () => {
    await expect(check({ AUTH: 'required' }, false, 2)).rejects.toThrow(
      /2 in the database were made with another API_KEY_PEPPER[\s\S]*keys create/,
    );
    await expect(check({ AUTH: 'required' }, true, 2)).resolves.toBeUndefined();
  });

  it.each<Record<string, string>>([{}, { AUTH: 'off', HOST: '0.0.0.0' }])('%j starts without one', async (environment) => {
    await expect(check(environment, false)).resolves.toBeUndefined();
  });
});
