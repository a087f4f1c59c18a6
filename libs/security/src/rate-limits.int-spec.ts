import { FixedClock, createTestDatabase, type TestDatabase } from '#testing';
import type { RateBucket } from './rate-bucket.js';
import { RateLimits } from './rate-limits.js';

describe('RateLimits', () => {
  let database: TestDatabase;
  let clock: FixedClock;
  beforeAll(async () => {
    database = await createTestDatabase({ entities: [] });
  });
  beforeEach(async () => {
    clock = new FixedClock();
    await database.query('TRUNCATE public.rate_limits');
  });
  afterAll(() => database.close());

  const limits = () => new RateLimits(database.unitOfWork, clock);
  const bucket = (limit: number, name = 'key:a'): RateBucket[] => [{ name, limit }];
  /** The window of a bucket is over. */
  const passWindow = async () => {
    await database.query(`UPDATE public.rate_limits SET expires_at = clock_timestamp() - interval '1 s'`);
    clock.advance(61_000);
  };

  it('lets exactly the limit pass, of all processes together', async () => {
    const processes = [limits(), limits(), limits()];
    const states = await Promise.all(Array.from({ length: 400 }, (_, i) => processes[i % 3]!.take(bucket(100), 1)));
    expect(states.filter((state) => state!.isAllowed)).toHaveLength(100);
  });

  it.each([1_000, 2_000])('lets exactly the limit of %i pass while all processes are busy', async (limit) => {
    const processes = [limits(), limits(), limits()];
    let allowed = 0;
    const lane = async (process: RateLimits) => {
      for (let turn = 0; turn < limit / 10; turn++) if ((await process.take(bucket(limit), 1))!.isAllowed) allowed++;
    };
    await Promise.all(processes.flatMap((process) => Array.from({ length: 4 }, () => lane(process))));
    expect(allowed).toBe(limit);
  });

  it('loses no more than a two-hundredth of the limit to each process that stops asking', async () => {
    const [busy, ...idle] = [limits(), limits(), limits()];
    for (const process of idle) await process.take(bucket(2_000), 1);
    let allowed = idle.length;
    for (let turn = 0; turn < 2_000; turn++) if ((await busy!.take(bucket(2_000), 1))!.isAllowed) allowed++;
    expect(allowed).toBe(2_000 - idle.length * 10);
  });

  it('asks the database once for many requests', async () => {
    const one = limits();
    const query = jest.spyOn(database.unitOfWork, 'query');
    for (let turn = 0; turn < 62; turn++) expect(await one.take(bucket(6_000), 1)).toMatchObject({ remaining: 5_999 - turn });
    expect(query).toHaveBeenCalledTimes(2);
    query.mockRestore();
  });

  it('holds nothing beyond its window, nor beyond a limit that was changed', async () => {
    const one = limits();
    await one.take(bucket(6_000), 1);
    expect(await one.take(bucket(3_000), 1)).toMatchObject({ limit: 3_000, remaining: 3_000 - 32 });
    await passWindow();
    expect(await one.take(bucket(3_000), 1)).toMatchObject({ remaining: 2_999 });
  });

  it('charges nothing when one of two limits is full', async () => {
    const both = [
      { name: 'key:c', limit: 6_000 },
      { name: 'address:y', limit: 1 },
    ];
    const one = limits();
    await one.take(both, 1);
    for (let turn = 0; turn < 3; turn++) await one.take([both[0]!, { name: `address:z`, limit: 1 }], 1);
    expect(await one.take([both[0]!], 1)).toMatchObject({ isAllowed: true, remaining: 6_000 - 3 });
  });

  it('counts what a request is worth, and lets a smaller one in where a larger one does not fit', async () => {
    const one = limits();
    expect(await one.take(bucket(100), 50)).toMatchObject({ isAllowed: true, remaining: 50 });
    expect(await one.take(bucket(100), 51)).toMatchObject({ isAllowed: false, remaining: 50 });
    expect(await one.take(bucket(100), 50)).toMatchObject({ isAllowed: true, remaining: 0 });
    expect(await one.take(bucket(100), 1)).toMatchObject({ isAllowed: false, remaining: 0, limit: 100 });
  });

  it('refuses what is larger than the limit, also from a full bucket', async () => {
    const state = await limits().take(bucket(10), 11);
    expect(state).toMatchObject({ isAllowed: false, limit: 10, remaining: 10 });
    expect(await limits().take(bucket(10), 10)).toMatchObject({ isAllowed: true });
  });

  it('begins anew when the window is over, and says when that is', async () => {
    const one = limits();
    await one.take(bucket(1), 1);
    const refused = await one.take(bucket(1), 1);
    expect(refused!.isAllowed).toBe(false);
    expect(refused!.resetSeconds).toBeGreaterThan(50);
    expect(refused!.resetSeconds).toBeLessThanOrEqual(60);
    await passWindow();
    expect(await one.take(bucket(1), 1)).toMatchObject({ isAllowed: true, remaining: 0 });
  });

  it('refuses from memory what is used up', async () => {
    const one = limits();
    await one.take(bucket(1), 1);
    await one.take(bucket(1), 1);
    const query = jest.spyOn(database.unitOfWork, 'query');
    for (let turn = 0; turn < 100; turn++) expect((await one.take(bucket(1), 1))!.isAllowed).toBe(false);
    expect(query).not.toHaveBeenCalled();
    query.mockRestore();
  });

  it('is within all limits or in none', async () => {
    const both = [
      { name: 'key:b', limit: 100 },
      { name: 'address:x', limit: 3 },
    ];
    const one = limits();
    for (let turn = 0; turn < 3; turn++) expect(await one.take(both, 1)).toMatchObject({ isAllowed: true, limit: 3 });
    expect(await one.take(both, 1)).toMatchObject({ isAllowed: false, limit: 3 });
    expect(await one.take(bucket(100, 'key:b'), 1)).toMatchObject({ isAllowed: true });
  });

  it('follows a limit that is changed', async () => {
    const one = limits();
    for (let turn = 0; turn < 2; turn++) await one.take(bucket(2), 1);
    expect((await limits().take(bucket(3), 1))!.isAllowed).toBe(true);
  });

  it('lets requests pass while the database does not answer', async () => {
    const query = jest.spyOn(database.unitOfWork, 'query').mockRejectedValue(new Error('away'));
    expect(await limits().take(bucket(1), 1)).toBeNull();
    query.mockRestore();
  });
});
