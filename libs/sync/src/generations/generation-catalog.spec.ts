import type { SqlSession } from '#database';
import { FixedClock } from '#testing';
import { GenerationCatalog } from './generation-catalog.js';

/** A session that answers when it is told to. */
function sessionOf(answer: Promise<unknown>): SqlSession & { readonly statements: string[] } {
  const statements: string[] = [];
  return {
    statements,
    query: async <Row>(sql: string) => {
      statements.push(sql);
      await answer;
      return { rows: [] as Row[], rowCount: 0 };
    },
  };
}

const never = new Promise<never>(() => undefined);

describe('GenerationCatalog', () => {
  const clock = new FixedClock();

  it('does not let requests wait for a connection of the engine, nor the engine for one of theirs', async () => {
    for (const [engine, requests] of [
      [sessionOf(never), sessionOf(Promise.resolve())],
      [sessionOf(Promise.resolve()), sessionOf(never)],
    ] as const) {
      const catalog = new GenerationCatalog(engine, clock);
      await expect(Promise.race([catalog.list(), catalog.list(requests)])).resolves.toEqual([]);
    }
  });

  it('reads once for all who ask meanwhile, and shares what was read', async () => {
    const [engine, requests] = [sessionOf(Promise.resolve()), sessionOf(Promise.resolve())];
    const catalog = new GenerationCatalog(engine, clock);
    await Promise.all([catalog.list(), catalog.list()]);
    await catalog.list(requests);
    expect([engine.statements.length, requests.statements.length]).toEqual([1, 0]);
  });
});
