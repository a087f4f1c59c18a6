import { issueKey } from '#security';
import type { HttpHarness, Json } from './http-harness.js';
import { BOOTSTRAP, KeyedStage, KEYS } from './keyed-stage.js';

describe('the audit', () => {
  let stage: KeyedStage;
  let http: HttpHarness;
  let as: KeyedStage['as'];
  let make: KeyedStage['make'];
  beforeAll(async () => {
    stage = await KeyedStage.set();
    ({ http, as, make } = stage);
    for (let n = 0; n < 6; n++) await make({ name: `before ${n}`, scopes: ['read'] });
  });
  afterAll(() => stage.close());

  it('records who did what, with what became of it, newest first', async () => {
    const made = await make({ name: 'audited', scopes: ['admin'] });
    await as(made.key, 'DELETE', `${KEYS}/0123456789ab`, { headers: { 'x-request-id': 'audit-test-1' } });
    await as(made.key, 'GET', KEYS);
    const { body } = await as(BOOTSTRAP, 'GET', '/api/v1/admin/audit?limit=2');
    expect(body.items).toMatchObject([
      {
        action: 'DELETE /api/v1/admin/keys/:id',
        target: '0123456789ab',
        key_id: made.id,
        key_name: 'audited',
        channel: 'http',
        address: '127.0.0.1',
        request_id: 'audit-test-1',
        result: 'refused',
        code: 'keys.not-found',
      },
      {
        action: 'POST /api/v1/admin/keys',
        target: made.id,
        key_id: 'bootstrap',
        detail: { name: 'audited', scopes: ['admin'] },
        result: 'ok',
      },
    ]);
    expect(body.items[0].at >= body.items[1].ended_at).toBe(true);
    const next = await as(BOOTSTRAP, 'GET', `/api/v1/admin/audit?limit=1&cursor=${body.next_cursor}`);
    expect(next.body.items).toHaveLength(1);
    expect(next.body.items[0].id).not.toBe(body.items[1].id);
  });

  it('does not keep what a client sent by mistake', async () => {
    const { text } = issueKey();
    await as(BOOTSTRAP, 'POST', KEYS, { payload: { name: `for ${text}`, scopes: ['read'], key: 'hidden-canary' } });
    const { text: page } = await as(BOOTSTRAP, 'GET', '/api/v1/admin/audit?limit=1');
    expect(page).toContain('[masked]');
    expect(page).not.toContain(text.slice(0, 30));
    expect(page).not.toContain('hidden-canary');
  });

  it('is exported as lines', async () => {
    const reply = await as(BOOTSTRAP, 'GET', '/api/v1/admin/audit/export');
    const lines = reply.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Json);
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.every(({ action }) => typeof action === 'string')).toBe(true);
  });

  it('can be added to only', async () => {
    for (const change of [
      'UPDATE public.audit_entries SET action = 1::text',
      'DELETE FROM public.audit_entries',
      'TRUNCATE public.audit_entries',
    ])
      await expect(http.database.dataSource.query(change)).rejects.toThrow(/added to only/);
  });

  it('does nothing that it cannot record', async () => {
    const before = (await as(BOOTSTRAP, 'GET', KEYS)).body.items.length;
    await http.database.query('ALTER TABLE public.audit_entries RENAME TO audit_elsewhere');
    const reply = await as(BOOTSTRAP, 'POST', KEYS, { payload: { name: 'x', scopes: ['read'] } });
    await http.database.query('ALTER TABLE public.audit_elsewhere RENAME TO audit_entries');
    expect(reply.status).toBe(500);
    expect((await as(BOOTSTRAP, 'GET', KEYS)).body.items).toHaveLength(before);
  });
});
