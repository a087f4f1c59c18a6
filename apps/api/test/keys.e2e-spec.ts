import { Clock, DomainError } from '#kernel';
import { issueKey } from '#security';
import { Logger } from '@nestjs/common';
import { PROJECT_BODY, type HttpHarness, type Json, type Reply } from './http-harness.js';
import { BOOTSTRAP, KeyedStage, KEYS } from './keyed-stage.js';

describe('API keys', () => {
  let stage: KeyedStage;
  let http: HttpHarness;
  let as: KeyedStage['as'];
  let statusOf: KeyedStage['statusOf'];
  let make: KeyedStage['make'];
  let elsewhere: KeyedStage['elsewhere'];
  beforeAll(async () => {
    stage = await KeyedStage.set({ API_KEY_PEPPER: 'pepper-0123456789abcdef0123456789' });
    ({ http, as, statusOf, make, elsewhere } = stage);
  });
  afterAll(() => stage.close());

  it('asks for a key, and says how to send it', async () => {
    const reply = await as(null, 'GET', '/api/v1/projects');
    expect([reply.status, reply.body.code, reply.headers['www-authenticate']]).toEqual([
      401,
      'access.key-missing',
      'Bearer realm="kindred"',
    ]);
  });

  it('asks for a key at the pages of the API document as well', async () => {
    for (const path of ['/docs', '/docs-json']) {
      const reply = await as(null, 'GET', path);
      expect([reply.status, reply.body.code]).toEqual([401, 'access.key-missing']);
      expect(await statusOf(BOOTSTRAP, {}, 'GET', path)).toBe(200);
    }
  });

  it('takes the key in either header, and not two different ones', async () => {
    expect(await statusOf(BOOTSTRAP)).toBe(200);
    expect(await statusOf(null, { headers: { 'x-api-key': BOOTSTRAP } })).toBe(200);
    expect(await statusOf(BOOTSTRAP, { headers: { 'x-api-key': BOOTSTRAP } })).toBe(200);
    expect(await statusOf(BOOTSTRAP, { ...elsewhere(), headers: { 'x-api-key': 'another' } })).toBe(401);
    expect(await statusOf(null, { ...elsewhere(), headers: { authorization: `Basic ${BOOTSTRAP}` } })).toBe(401);
  });

  it('refuses before it reads the body', async () => {
    const reply = await http.send('POST', '/api/v1/projects', { payload: '{"broken', headers: { 'content-type': 'application/json' } });
    expect(reply.status).toBe(401);
  });

  it('shows a key once, and stores nothing that it could be had from', async () => {
    const made = await make({ name: 'website', scopes: ['read'] });
    expect(made.key).toMatch(/^kdr_[0-9a-f]{12}_[0-9a-f]{64}_[0-9a-f]{8}$/);
    expect(await statusOf(made.key)).toBe(200);
    const list = await as(BOOTSTRAP, 'GET', KEYS);
    expect(list.body.items.find(({ id }: Json) => id === made.id)).toMatchObject({ name: 'website', scopes: ['read'], state: 'good' });
    const secret = made.key.split('_')[2];
    expect(list.text).not.toContain(secret);
    for (const table of ['api_keys', 'audit_entries']) {
      const { rows } = await http.database.query<{ dump: string }>(`SELECT string_agg(t::text, '|') AS dump FROM public.${table} t`);
      expect(rows[0]!.dump).not.toContain(secret);
      expect(rows[0]!.dump).not.toContain(Buffer.from(secret, 'hex').toString('base64'));
    }
  });

  it('lets in none of 100 keys that have expired and of 100 that are revoked, and keeps the text of none, in no table and no line of the log', async () => {
    const logged: unknown[] = [];
    const log = (...line: unknown[]) => void logged.push(line);
    Logger.overrideLogger({ log, error: log, warn: log, debug: log, verbose: log, fatal: log });
    const dead: string[] = [];
    for (let n = 0; n < 100; n++) {
      const expired = await make({ name: 'past', scopes: ['read'], expires_at: new Date(Date.now() - 1_000 - n).toISOString() });
      const revoked = await make({ name: 'gone', scopes: ['read'] });
      expect(await statusOf(BOOTSTRAP, {}, 'DELETE', `${KEYS}/${revoked.id}`)).toBe(204);
      dead.push(expired.key, revoked.key);
    }
    for (const [n, key] of dead.entries()) expect(await statusOf(key, { remoteAddress: `198.19.${n >> 4}.${n & 15}` })).toBe(401);
    Logger.overrideLogger(false);
    const { rows: tables } = await http.database.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    );
    expect(tables.length).toBeGreaterThan(15);
    let dump = JSON.stringify(logged);
    for (const { name } of tables) {
      const { rows } = await http.database.query<{ dump: string | null }>(`SELECT string_agg(t::text, '|') AS dump FROM ${name} t`);
      dump += rows[0]!.dump ?? '';
    }
    expect(dump).toContain('gone');
    const secrets = dead.map((key) => key.split('_')[2]!);
    const formsOf = (secret: string) => [secret, Buffer.from(secret, 'hex').toString('base64'), Buffer.from(secret).toString('hex')];
    expect(secrets.flatMap(formsOf).filter((form) => dump.includes(form))).toEqual([]);
  });

  it('notes when a key was used', async () => {
    const made = await make({ name: 'used', scopes: ['read'] });
    await statusOf(made.key);
    const item = async () => (await as(BOOTSTRAP, 'GET', KEYS)).body.items.find(({ id }: Json) => id === made.id);
    // Nobody waits for the note; the next read comes behind it on the same server.
    for (let turn = 0; turn < 100 && (await item()).last_used_at === null; turn++);
    expect((await item()).last_used_at).not.toBeNull();
  });

  it('lets a key do what its scopes say', async () => {
    const [read, write] = [await make({ name: 'r', scopes: ['read'] }), await make({ name: 'w', scopes: ['write'] })];
    const create = { payload: PROJECT_BODY };
    expect(await statusOf(read.key, create, 'POST')).toBe(403);
    expect(await statusOf(write.key, create, 'POST')).toBe(201);
    expect(await statusOf(write.key)).toBe(200);
    const refused = await as(write.key, 'GET', KEYS);
    expect([refused.status, refused.body.code]).toEqual([403, 'access.scope-missing']);
    expect(refused.body.detail).toContain('admin:read');
  });

  it('does not let a key make one that may do more', async () => {
    const admin = await make({ name: 'a', scopes: ['admin'] });
    expect(await statusOf(admin.key, { payload: { name: 'x', scopes: ['admin:read'] } }, 'POST', KEYS)).toBe(201);
    expect(await statusOf(admin.key, { payload: { name: 'x', scopes: ['write'] } }, 'POST', KEYS)).toBe(403);
    const writer = await make({ name: 'w', scopes: ['write'] });
    expect(await statusOf(admin.key, { payload: {} }, 'POST', `${KEYS}/${writer.id}/rotate`)).toBe(403);
  });

  it('ends a key that is revoked at once', async () => {
    const made = await make({ name: 'gone', scopes: ['read'] });
    expect(await statusOf(made.key)).toBe(200);
    expect(await statusOf(BOOTSTRAP, {}, 'DELETE', `${KEYS}/${made.id}`)).toBe(204);
    expect(await statusOf(made.key, elsewhere())).toBe(401);
    expect(await statusOf(BOOTSTRAP, {}, 'DELETE', `${KEYS}/${made.id}`)).toBe(204);
    expect(await statusOf(BOOTSTRAP, { payload: {} }, 'POST', `${KEYS}/${made.id}/rotate`)).toBe(409);
    expect(await statusOf(BOOTSTRAP, {}, 'DELETE', `${KEYS}/0123456789ab`)).toBe(404);
  });

  it('ends a key that expires', async () => {
    const made = await make({ name: 'short', scopes: ['read'], expires_at: new Date(Date.now() + 3_600_000).toISOString() });
    expect(await statusOf(made.key)).toBe(200);
    const past = await make({ name: 'past', scopes: ['read'], expires_at: '2026-01-01T00:00:00Z' });
    expect(await statusOf(past.key, elsewhere())).toBe(401);
  });

  it('lets two keys overlap while one replaces the other', async () => {
    const old = await make({ name: 'old', scopes: ['read'], allowed_cidrs: ['127.0.0.1'] });
    const next = (await as(BOOTSTRAP, 'POST', `${KEYS}/${old.id}/rotate`, { payload: { overlap_seconds: 3600 } })).body;
    expect(next).toMatchObject({ name: 'old', scopes: ['read'], allowed_cidrs: ['127.0.0.1'], replaces: old.id });
    expect([await statusOf(old.key), await statusOf(next.key)]).toEqual([200, 200]);
    const again = await as(BOOTSTRAP, 'POST', `${KEYS}/${old.id}/rotate`, { payload: {} });
    expect([again.status, again.body.code]).toEqual([409, 'keys.replaced']);
    expect(next.expires_at).toBeNull();
    const last = (await as(BOOTSTRAP, 'POST', `${KEYS}/${next.id}/rotate`, { payload: { overlap_seconds: 0 } })).body;
    expect([await statusOf(next.key, elsewhere()), await statusOf(last.key)]).toEqual([401, 200]);
  });

  it('lets a key go on that was good before, whatever else its address sends', async () => {
    const good = (await make({ name: 'patient', scopes: ['read'] })).key as string;
    const address = elsewhere();
    expect(await statusOf(good, address)).toBe(200);
    for (let turn = 0; turn < 40; turn++) await statusOf(issueKey().text, address);
    expect(await statusOf(issueKey().text, address)).toBe(429);
    const now = jest.spyOn(http.app.get(Clock), 'monotonicMs').mockReturnValue(performance.now() + 10_000);
    expect(await statusOf(good, address)).toBe(200);
    now.mockRestore();
  });

  it('refuses a text that cannot be stored as what it is: a bad request', async () => {
    expect(await statusOf(BOOTSTRAP, {}, 'DELETE', `${KEYS}/%00`)).toBe(400);
    expect(await statusOf(BOOTSTRAP, { payload: { name: 'x', scopes: ['read'], collections: ['a\u0000'] } }, 'POST', KEYS)).toBe(400);
  });

  it('takes a key only from the addresses it is for', async () => {
    const made = await make({ name: 'office', scopes: ['read'], allowed_cidrs: ['10.0.0.0/8', '2001:db8::/32'] });
    expect(await statusOf(made.key, { remoteAddress: '10.9.8.7' })).toBe(200);
    expect(await statusOf(made.key, { remoteAddress: '::ffff:10.9.8.7' })).toBe(200);
    expect(await statusOf(made.key, { remoteAddress: '2001:db8::1' })).toBe(200);
    expect(await statusOf(made.key, elsewhere())).toBe(401);
    // Nobody is a trusted proxy.
    for (const header of ['x-forwarded-for', 'forwarded', 'x-real-ip'])
      expect(
        await statusOf(made.key, { ...elsewhere(), headers: { [header]: header === 'forwarded' ? 'for=10.9.8.7' : '10.9.8.7' } }),
      ).toBe(401);
  });

  it('refuses what only looks like a key, however it is built', async () => {
    const good = (await make({ name: 'good', scopes: ['read'] })).key as string;
    const wrong = [...malformed(good), issueKey().text, good.toUpperCase(), `${good} `.repeat(2), good.slice(0, -1), `${good}0`];
    expect(wrong.length).toBeGreaterThan(500);
    for (const [index, key] of wrong.entries()) {
      const status = await statusOf(null, { remoteAddress: `198.51.${index >> 6}.${index & 63}`, headers: { 'x-api-key': key } });
      if (status !== 401) throw new Error(`${JSON.stringify(key)} was answered with ${status}`);
    }
  });

  it('stops listening to an address with too many wrong keys, and to nobody else', async () => {
    const good = (await make({ name: 'patient', scopes: ['read'] })).key as string;
    const address = elsewhere();
    expect(await statusOf(good, address)).toBe(200);
    const statuses = new Map<number, number>();
    let last: Reply | undefined;
    for (let turn = 0; turn < 1_000; turn++) {
      last = await as(issueKey().text, 'GET', '/api/v1/projects', address);
      statuses.set(last.status, (statuses.get(last.status) ?? 0) + 1);
    }
    expect([...statuses]).toEqual([
      [401, 30],
      [429, 970],
    ]);
    expect([last!.body.code, Number(last!.headers['retry-after']) > 0]).toEqual(['access.too-many-failures', true]);
    expect(await statusOf(good, address)).toBe(200);
    expect(await statusOf(good, elsewhere())).toBe(200);
  });

  it('lets nobody in whom it cannot check', async () => {
    const key = issueKey().text;
    const find = jest.spyOn(http.database.unitOfWork, 'query').mockRejectedValueOnce(new DomainError('database.unavailable'));
    const reply = await as(key, 'GET', '/api/v1/projects', elsewhere());
    expect([reply.status, reply.body.code]).toEqual([503, 'database.unavailable']);
    find.mockRestore();
  });

  it('refuses a body that does not say what key it wants', async () => {
    for (const body of [
      {},
      { name: '', scopes: ['read'] },
      { name: 'x', scopes: [] },
      { name: 'x', scopes: ['root'] },
      { name: 'x', scopes: ['read'], allowed_cidrs: ['10.0.0.0/99'] },
      { name: 'x', scopes: ['read'], expires_at: 'tomorrow' },
      { name: 'x', scopes: ['read'], rate_limit_per_minute: 0 },
      { name: 'x', scopes: ['read'], digest: 'x' },
    ])
      expect(await statusOf(BOOTSTRAP, { payload: body }, 'POST', KEYS)).toBe(400);
    expect(await statusOf(BOOTSTRAP, { payload: { name: 'x', scopes: ['read'], collections: ['nowhere'] } }, 'POST', KEYS)).toBe(422);
  });
});

/** The good key with one character changed, at every place, by several characters. */
function malformed(good: string): string[] {
  return [...good].flatMap((character, index) =>
    ['0', '1', 'f', 'g', '_', 'é', ' ']
      .filter((other) => other !== character)
      .map((other) => `${good.slice(0, index)}${other}${good.slice(index + 1)}`),
  );
}
