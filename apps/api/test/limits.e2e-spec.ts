import { LoadGauge } from '#security';
import type { HttpHarness, Reply } from './http-harness.js';
import { KeyedStage } from './keyed-stage.js';

const ADDRESS_LIMIT = 40;

describe('limits', () => {
  let stage: KeyedStage;
  let http: HttpHarness;
  let send: KeyedStage['as'];
  let elsewhere: KeyedStage['elsewhere'];
  beforeAll(async () => {
    stage = await KeyedStage.set({
      RATE_LIMIT_PER_MINUTE: '0',
      RATE_LIMIT_ADDRESS_PER_MINUTE: String(ADDRESS_LIMIT),
      TRUSTED_PROXIES: '10.0.0.0/24',
    });
    ({ http, as: send, elsewhere } = stage);
  });
  afterAll(() => stage.close());

  const make = async (limit?: number): Promise<string> => {
    const body = { name: 'limited', scopes: ['write'], ...(limit === undefined ? {} : { rate_limit_per_minute: limit }) };
    return (await stage.make(body, elsewhere())).key as string;
  };

  it('lets a key do so much a minute, and says how much is left', async () => {
    const key = await make(3);
    const replies: Reply[] = [];
    for (let turn = 0; turn < 5; turn++) replies.push(await send(key, 'GET', '/api/v1/projects', elsewhere()));
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 429, 429]);
    expect(replies.map(({ headers }) => Number(headers['ratelimit-remaining']))).toEqual([2, 1, 0, 0, 0]);
    const last = replies.at(-1)!;
    expect(last.body).toMatchObject({ code: 'access.rate-limited', retryable: true });
    expect(last.headers['ratelimit-policy']).toBe('3;w=60');
    expect(Number(last.headers['retry-after'])).toBeGreaterThan(50);
    expect(Number(last.headers['retry-after'])).toBeLessThanOrEqual(60);
  });

  it('counts a batch once for each of its elements', async () => {
    const key = await make(100);
    const batch = (size: number) =>
      send(key, 'POST', '/api/v1/similarity/batch-similar', { payload: { queries: Array(size).fill('oak') }, ...elsewhere() });
    // What the address may do is less than a batch of 50.
    expect((await batch(50)).status).toBe(429);
    const first = await batch(30);
    expect([first.status, first.headers['ratelimit-remaining']]).toEqual([200, '10']);
    const documents = await send(key, 'POST', '/api/v1/documents/delete', {
      payload: { ids: Array.from({ length: 20 }, (_, i) => `0197a6b2-6c1e-7c3a-9d55-0000000000${10 + i}`) },
      ...elsewhere(),
    });
    expect([documents.status, documents.headers['ratelimit-remaining']]).toEqual([200, '20']);
  });

  it('says when a request can never pass', async () => {
    const key = await make(10);
    const reply = await send(key, 'POST', '/api/v1/similarity/batch-similar', {
      payload: { queries: Array(11).fill('oak') },
      ...elsewhere(),
    });
    expect([reply.status, reply.body.detail]).toEqual([429, 'This request counts 11, more than the limit of 10 a minute']);
  });

  it('counts what an address does with all its keys together', async () => {
    const [one, two] = [await make(), await make()];
    const address = elsewhere();
    const statuses: number[] = [];
    for (let turn = 0; turn < ADDRESS_LIMIT + 4; turn++)
      statuses.push((await send(turn % 2 === 0 ? one : two, 'GET', '/api/v1/collections', address)).status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(ADDRESS_LIMIT);
    expect(statuses.slice(-4)).toEqual([429, 429, 429, 429]);
    expect((await send(one, 'GET', '/api/v1/collections', elsewhere())).status).toBe(200);
  });

  it('is not talked out of it by headers of clients', async () => {
    const key = await make();
    const address = elsewhere();
    let passed = 0;
    for (let turn = 0; turn < 200; turn++) {
      const forged = `203.0.113.${turn}`;
      const headers = [
        { 'x-forwarded-for': forged },
        { 'x-forwarded-for': `${forged}, 10.0.0.1` },
        { forwarded: `for=${forged}` },
        { 'x-real-ip': forged },
      ][turn % 4];
      if ((await send(key, 'GET', '/api/v1/collections', { ...address, headers })).status === 200) passed++;
    }
    expect(passed).toBe(ADDRESS_LIMIT);
  });

  it('believes a proxy that it was told to trust, and only what that one has seen', async () => {
    const key = await make();
    const behind = (forwarded: string) => ({ remoteAddress: '10.0.0.5', headers: { 'x-forwarded-for': forwarded } });
    for (let turn = 0; turn < ADDRESS_LIMIT; turn++) await send(key, 'GET', '/api/v1/collections', behind('198.51.100.1'));
    expect((await send(key, 'GET', '/api/v1/collections', behind('198.51.100.1'))).status).toBe(429);
    // The client wrote the first address, the proxy the last.
    expect((await send(key, 'GET', '/api/v1/collections', behind('198.51.100.99, 198.51.100.1'))).status).toBe(429);
    expect((await send(key, 'GET', '/api/v1/collections', behind('198.51.100.2'))).status).toBe(200);
  });

  it('counts nothing that was not let in', async () => {
    const key = await make(1);
    const address = elsewhere();
    expect((await http.send('GET', '/api/v1/projects', address)).headers['ratelimit-limit']).toBeUndefined();
    expect((await send(key, 'GET', '/api/v1/projects', address)).status).toBe(200);
  });

  it('counts a body that cannot be read as well', async () => {
    const key = await make(1);
    const broken = { payload: '{"broken', headers: { 'content-type': 'application/json' } };
    expect((await send(key, 'POST', '/api/v1/similarity/find-similar', { ...broken, ...elsewhere() })).status).toBe(400);
    expect((await send(key, 'POST', '/api/v1/similarity/find-similar', { ...broken, ...elsewhere() })).status).toBe(429);
  });

  it('learns nothing from what is refused, and is not frightened by a list that is too long', async () => {
    const gauge = http.app.get(LoadGauge);
    const key = await make(30);
    const ended = jest.spyOn(gauge, 'end');
    const added = jest.spyOn(gauge, 'add');
    const long = () =>
      send(key, 'POST', '/api/v1/similarity/batch-similar', { payload: { queries: Array(5_000).fill(0) }, ...elsewhere() });
    expect((await long()).status).toBe(429);
    expect(added).not.toHaveBeenCalled();
    const open = await make();
    const own = elsewhere();
    expect((await send(open, 'POST', '/api/v1/similarity/batch-similar', { payload: { queries: Array(20).fill(0) }, ...own })).status).toBe(
      400,
    );
    expect(added).toHaveBeenLastCalledWith(19);
    expect(ended.mock.calls.map(([, wasAnswered]) => wasAnswered)).toEqual([false, false]);
    expect(gauge.underWay).toBe(0);
    ended.mockRestore();
    added.mockRestore();
  });

  it('turns a search away that would wait too long, before its body is read', async () => {
    const gauge = http.app.get(LoadGauge);
    const key = await make();
    const begin = jest.spyOn(gauge, 'begin').mockReturnValueOnce(false);
    const reply = await send(key, 'POST', '/api/v1/similarity/find-similar', {
      payload: '{"broken',
      headers: { 'content-type': 'application/json' },
      ...elsewhere(),
    });
    expect([reply.status, reply.body.code, reply.headers['retry-after']]).toEqual([503, 'access.overloaded', '1']);
    expect((await send(key, 'GET', '/api/v1/projects', elsewhere())).status).toBe(200);
    const payload = { query: 'oak' };
    expect((await send(key, 'POST', '/api/v1/similarity/find-similar', { payload, ...elsewhere() })).status).toBe(200);
    expect(begin).toHaveBeenCalledTimes(2);
    expect(gauge.underWay).toBe(0);
    begin.mockRestore();
  });
});
