import { loadConfig } from '#config';
import type { ApiKeys } from './api-keys.js';
import { DoorCheck } from './door-check.js';

describe('DoorCheck', () => {
  const check = (environment: Record<string, string>, hasAny: boolean) =>
    new DoorCheck(loadConfig(environment).security, { hasAny: () => Promise.resolve(hasAny) } as unknown as ApiKeys).run();

  it.each<Record<string, string>>([{ NODE_ENV: 'production' }, { AUTH: 'required' }, { HOST: '0.0.0.0' }])(
    '%j does not start without a key, and says how to make one',
    async (environment) => {
      await expect(check(environment, false)).rejects.toThrow(/kindred keys create --direct[\s\S]*KINDRED_BOOTSTRAP_KEY/);
      await expect(check(environment, true)).resolves.toBeUndefined();
      await expect(check({ ...environment, KINDRED_BOOTSTRAP_KEY: 'x'.repeat(32) }, false)).resolves.toBeUndefined();
    },
  );

  it.each<Record<string, string>>([{}, { AUTH: 'off', HOST: '0.0.0.0' }])('%j starts without one', async (environment) => {
    await expect(check(environment, false)).resolves.toBeUndefined();
  });
});
