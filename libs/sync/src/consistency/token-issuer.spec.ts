import type { SqlSession } from '#database';
import { FixedClock } from '#testing';
import { Logger } from '@nestjs/common';
import { TokenIssuer } from './token-issuer.js';

const ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';
const sessionOf = (answer: () => Promise<unknown[]>): SqlSession =>
  ({ query: async () => ({ rows: await answer(), rowCount: 1 }) }) as unknown as SqlSession;

describe('TokenIssuer', () => {
  let warnings: jest.SpyInstance;
  const create = (session: SqlSession, servingId: () => Promise<number | null> = async () => 3) =>
    new TokenIssuer({ session, servingId, clock: new FixedClock(), timeoutMs: 20 });

  beforeEach(() => {
    warnings = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  });
  afterEach(() => warnings.mockRestore());

  it('names the serving generation and the version there', async () => {
    await expect(create(sessionOf(async () => [{ version: '4711' }])).issue('projects', ID)).resolves.toEqual({
      source: 'projects',
      id: ID,
      generationId: 3,
      version: 4711,
    });
  });

  it('has none without entry, and none while no generation serves', async () => {
    await expect(create(sessionOf(async () => [])).issue('projects', ID)).resolves.toBeNull();
    const never = () => Promise.reject(new Error('not asked'));
    await expect(create(sessionOf(never), async () => null).issue('projects', ID)).resolves.toBeNull();
    expect(warnings).not.toHaveBeenCalled();
  });

  it('has none when the ledger fails or is late, and says so once a minute', async () => {
    const issuer = create(sessionOf(() => Promise.reject(new Error('down'))));
    await expect(issuer.issue('projects', ID)).resolves.toBeNull();
    await expect(issuer.issue('projects', ID)).resolves.toBeNull();
    expect(warnings).toHaveBeenCalledTimes(1);
    await expect(create(sessionOf(() => new Promise(() => undefined))).issue('projects', ID)).resolves.toBeNull();
    const failing = create(
      sessionOf(async () => []),
      () => Promise.reject(new Error('down')),
    );
    await expect(failing.issue('projects', ID)).resolves.toBeNull();
  });
});
