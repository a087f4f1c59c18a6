import { RateLimits } from '#security';
import { createTestDatabase, FixedClock, type TestDatabase } from '#testing';

const KEYS = 20;
const BURST = 50;
const LIMIT = 30;

describe('RateLimits of many keys', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase({ entities: [] });
  });
  afterAll(() => database.close());

  it(`lets exactly ${LIMIT} of ${BURST} pass of each of ${KEYS} keys, all at once in three processes, and takes nothing from a key that is quiet`, async () => {
    const clock = new FixedClock();
    const processes = Array.from({ length: 3 }, () => new RateLimits(database.unitOfWork, clock));
    const requests = Array.from({ length: KEYS * BURST }, (_, n) => ({ key: n % KEYS, process: processes[n % processes.length]! }));
    const passed = new Map<number, number>();
    await Promise.all(
      requests.map(async ({ key, process }) => {
        const state = await process.take([{ name: `key:${key}`, limit: LIMIT }], 1);
        if (state!.isAllowed) passed.set(key, (passed.get(key) ?? 0) + 1);
      }),
    );
    expect([...passed.values()]).toEqual(Array.from({ length: KEYS }, () => LIMIT));
    expect(await processes[0]!.take([{ name: 'key:quiet', limit: LIMIT }], LIMIT)).toMatchObject({ isAllowed: true, remaining: 0 });
  });
});
