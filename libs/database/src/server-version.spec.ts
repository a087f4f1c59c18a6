import { FatalStartupError } from '#kernel';
import type { DataSource } from 'typeorm';
import { assertServerVersion } from './server-version.js';

/** Stands in for a connected server of the given version. */
const fakeServer = (number: string, name: string): DataSource =>
  ({ query: () => Promise.resolve([{ number, name }]) }) as unknown as DataSource;

describe('assertServerVersion', () => {
  it('refuses PostgreSQL 13 and says what is needed', async () => {
    const attempt = assertServerVersion(fakeServer('130023', '13.23'));
    await expect(attempt).rejects.toBeInstanceOf(FatalStartupError);
    await expect(attempt).rejects.toThrow(/PostgreSQL 13\.23.*14 or later/);
  });

  it.each([
    ['140000', '14.0'],
    ['180004', '18.4'],
  ])('accepts %s', async (number, name) => {
    await expect(assertServerVersion(fakeServer(number, name))).resolves.toBeUndefined();
  });
});
