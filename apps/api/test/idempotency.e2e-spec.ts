import { randomUUID } from 'node:crypto';
import { PROJECT_BODY, startHttp, type HttpHarness, type Reply } from './http-harness.js';

const PROJECTS = '/api/v1/projects';
const PARALLEL = 50;
const ROUNDS = 20;

describe('Idempotency-Key', () => {
  let http: HttpHarness;
  beforeAll(async () => {
    http = await startHttp();
    expect((await http.send('POST', '/api/v1/collections', { payload: { name: 'faq' } })).status).toBe(201);
  });
  afterAll(() => http.close());

  const post = (url: string, key: string, payload: unknown, headers: Record<string, string> = {}) =>
    http.send('POST', url, {
      payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
      headers: { 'content-type': 'application/json', 'idempotency-key': key, ...headers },
    });
  const count = async (table: string): Promise<number> =>
    (await http.database.query<{ count: number }>(`SELECT count(*)::integer AS count FROM ${table}`)).rows[0]!.count;

  function expectRepeated(first: Reply, again: Reply): void {
    expect([again.status, again.text]).toEqual([first.status, first.text]);
    expect(again.headers['idempotency-replayed']).toBe('true');
    for (const name of ['location', 'etag', 'x-kindred-token']) expect(again.headers[name]).toBe(first.headers[name]);
    expect(first.headers['idempotency-replayed']).toBeUndefined();
  }

  it('carries a request out once, and repeats its answer with its headers', async () => {
    const before = await count('projects');
    const key = randomUUID();
    const first = await post(PROJECTS, key, PROJECT_BODY);
    expect([first.status, first.headers['location']]).toEqual([201, `${PROJECTS}/${first.body.id}`]);
    expectRepeated(first, await post(PROJECTS, key, PROJECT_BODY));
    // The same request, whatever the order of its names; and the form of the draft, in quotes.
    const { name, description } = PROJECT_BODY;
    expectRepeated(
      first,
      await post(PROJECTS, `"${key}"`, `{ "description": ${JSON.stringify(description)}, "name": ${JSON.stringify(name)} }`),
    );
    expect(await count('projects')).toBe(before + 1);
  });

  it('refuses a key that belongs to another request', async () => {
    const key = randomUUID();
    expect((await post(PROJECTS, key, PROJECT_BODY)).status).toBe(201);
    for (const [url, payload] of [
      [PROJECTS, { ...PROJECT_BODY, complexity: 3 }],
      [`${PROJECTS}?wait_for_index_ms=1`, PROJECT_BODY],
    ] as const) {
      const other = await post(url, key, payload);
      expect([other.status, other.body.code]).toEqual([422, 'idempotency.other-payload']);
    }
    // Another route has keys of its own.
    expect((await post('/api/v1/collections', key, { name: `c-${key}` })).status).toBe(201);
  });

  it.each([
    '',
    'short',
    'x'.repeat(129),
    'has a space',
    'ümlaut-key',
    '"unbalanced-quote',
    'two-keys-1, two-keys-2',
    "a'; DROP TABLE projects",
  ])('refuses %p as a key', async (key) => {
    const reply = await post(PROJECTS, key, PROJECT_BODY);
    expect([reply.status, reply.body.errors?.[0].pointer]).toEqual([400, '@Idempotency-Key']);
  });

  it(`makes one row and one change of ${PARALLEL} requests at once, ${ROUNDS} times`, async () => {
    await http.database.query(
      `INSERT INTO index_generations (source, collection, model_rev, template_rev, dimensions, state, embedder)
       VALUES ('projects', 'c', 'm', 't', 2, 'serving', '{}')`,
    );
    const changes = async () =>
      Number(
        (await http.database.query<{ n: string }>('SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS n FROM index_version_seq'))
          .rows[0]!.n,
      );
    const before = await count('projects');
    const changesBefore = await changes();
    for (let round = 0; round < ROUNDS; round++) {
      const key = randomUUID();
      const replies = await Promise.all(Array.from({ length: PARALLEL }, () => post(PROJECTS, key, PROJECT_BODY)));
      expect(await count('projects')).toBe(before + round + 1);
      const made = replies.filter(({ status }) => status === 201);
      expect(new Set(made.map(({ body }) => body.id as string)).size).toBe(1);
      expect(made.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).toHaveLength(1);
      for (const { status, body, headers } of replies.filter((reply) => reply.status !== 201))
        expect([status, body.code, headers['retry-after']]).toEqual([409, 'idempotency.in-progress', '1']);
      expect(made[0]!.body.version).toBe(1);
      expect(await changes()).toBe(changesBefore + round + 1);
    }
    expect(await count('index_ledger')).toBe(ROUNDS);
  });

  it('answers 409 while the request is worked on, and carries it out when whoever did it has died', async () => {
    const key = randomUUID();
    const held = await http.database.query<{ until: Date }>(
      `INSERT INTO idempotency_keys (caller, route, key, fingerprint, token, claimed_until, expires_at)
       SELECT caller, route, $1, fingerprint, gen_random_uuid(), now() + interval '1 hour', expires_at FROM idempotency_keys
       WHERE route = 'POST /api/v1/projects' AND status = 201 ORDER BY expires_at LIMIT 1 RETURNING claimed_until AS until`,
      [key],
    );
    expect(held.rows).toHaveLength(1);
    const waiting = await post(PROJECTS, key, PROJECT_BODY);
    expect([waiting.status, waiting.body.code, waiting.body.retryable, waiting.headers['retry-after']]).toEqual([
      409,
      'idempotency.in-progress',
      true,
      '1',
    ]);
    await http.database.query(`UPDATE idempotency_keys SET claimed_until = now() - interval '1 second' WHERE key = $1`, [key]);
    const first = await post(PROJECTS, key, PROJECT_BODY);
    expect(first.status).toBe(201);
    expectRepeated(first, await post(PROJECTS, key, PROJECT_BODY));
  });

  it('repeats the answer after a crash between commit and reply', async () => {
    const key = randomUUID();
    const before = await count('projects');
    // What comes behind the commit never comes.
    await http.database.query(`
      CREATE FUNCTION fail_replacement() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF OLD.status IS NOT NULL THEN RAISE 'the process is gone'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER fail_replacement BEFORE UPDATE OR DELETE ON idempotency_keys FOR EACH ROW EXECUTE FUNCTION fail_replacement()`);
    try {
      const lost = await post(PROJECTS, key, PROJECT_BODY);
      const again = await post(PROJECTS, key, PROJECT_BODY);
      expect([again.status, again.headers['idempotency-replayed']]).toEqual([201, 'true']);
      expect([again.body.id, again.headers['location'], again.headers['etag']]).toEqual([
        lost.body.id,
        `${PROJECTS}/${lost.body.id}`,
        '"v1"',
      ]);
      expect(await count('projects')).toBe(before + 1);
    } finally {
      await http.database.query('DROP FUNCTION fail_replacement() CASCADE');
    }
  });

  it('writes nothing when another request has taken the key over', async () => {
    const key = randomUUID();
    const before = await count('projects');
    await http.database.query(`
      CREATE FUNCTION take_over() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE idempotency_keys SET token = gen_random_uuid() WHERE status IS NULL; RETURN NEW; END $$;
      CREATE TRIGGER take_over BEFORE INSERT ON projects FOR EACH ROW EXECUTE FUNCTION take_over()`);
    const late = await post(PROJECTS, key, PROJECT_BODY).finally(() => http.database.query('DROP FUNCTION take_over() CASCADE'));
    expect([late.status, late.body.code]).toEqual([409, 'idempotency.in-progress']);
    expect(await count('projects')).toBe(before);
  });

  it('keeps refusals that stored data decide; a body that was wrong may be mended', async () => {
    await http.create({ external_id: 'taken' });
    const key = randomUUID();
    const first = await post(PROJECTS, key, { ...PROJECT_BODY, external_id: 'taken' });
    const again = await post(PROJECTS, key, { ...PROJECT_BODY, external_id: 'taken' });
    expect([first.status, again.status, again.body.code]).toEqual([409, 409, 'projects.external-id-taken']);
    expect([first.headers['idempotency-replayed'], again.headers['idempotency-replayed']]).toEqual([undefined, 'true']);

    const mended = randomUUID();
    expect((await post(PROJECTS, mended, { ...PROJECT_BODY, complexity: 9 })).status).toBe(400);
    expect((await post(PROJECTS, mended, { ...PROJECT_BODY, complexity: 5 })).status).toBe(201);
  });

  it('keeps no failure of its own: the next one starts anew', async () => {
    const key = randomUUID();
    await http.database.query('ALTER TABLE projects RENAME TO projects_away');
    const failed = await post(PROJECTS, key, PROJECT_BODY).finally(() =>
      http.database.query('ALTER TABLE projects_away RENAME TO projects'),
    );
    expect(failed.status).toBe(500);
    expect((await post(PROJECTS, key, PROJECT_BODY)).status).toBe(201);
  });

  it('forgets an answer after its time, and removes it then', async () => {
    const key = randomUUID();
    const { body } = await post(PROJECTS, key, PROJECT_BODY);
    const { rows } = await http.database.query<{ hours: number }>(
      `SELECT round(extract(epoch FROM expires_at - now()) / 3600)::integer AS hours FROM idempotency_keys WHERE key = $1`,
      [key],
    );
    expect(rows).toEqual([{ hours: 24 }]);
    await http.database.query(`UPDATE idempotency_keys SET expires_at = now() - interval '1 second' WHERE key = $1`, [key]);
    const anew = await post(PROJECTS, key, PROJECT_BODY);
    expect(anew.status).toBe(201);
    expect(anew.body.id).not.toBe(body.id);
  });

  it('holds for every route that creates', async () => {
    const document = { collection: 'faq', title: 'How?', content: 'So.' };
    for (const [url, payload, status, table] of [
      ['/api/v1/collections', { name: 'other' }, 201, 'collections'],
      ['/api/v1/documents', document, 201, 'documents'],
      ['/api/v1/documents/batch', { documents: [document, { ...document, collection: 'nowhere' }] }, 200, 'documents'],
      ['/api/v1/documents/batch', { documents: [{ ...document, collection: 'nowhere' }] }, 200, null],
      ['/api/v1/admin/reconcile', {}, 202, null],
      ['/api/v1/admin/generations/1/gate', {}, 202, null],
      ['/api/v1/admin/schedules/statistics/run', {}, 202, null],
      ['/api/v1/admin/generations', { source: 'projects' }, 201, null],
    ] as const) {
      const before = table === null ? 0 : await count(table);
      const key = randomUUID();
      const first = await post(url, key, payload);
      expect([url, first.status]).toEqual([url, status]);
      expectRepeated(first, await post(url, key, payload));
      if (table !== null) expect(await count(table)).toBe(before + 1);
    }
    expect(http.admin.reconciler.start).toHaveBeenCalledTimes(1);
    expect(http.admin.generations.create).toHaveBeenCalledTimes(1);
  });

  it('compares a file by its bytes, and stores it once', async () => {
    const file = '{"name":"a","description":"b"}\n'.repeat(2_000);
    const key = randomUUID();
    const type = { 'content-type': 'application/x-ndjson' };
    const jobs = await count('ingestion_jobs');
    const first = await post(`${PROJECTS}/import`, key, file, type);
    expect(first.status).toBe(202);
    expectRepeated(first, await post(`${PROJECTS}/import`, key, file, type));
    const other = await post(`${PROJECTS}/import`, key, file.replace('"a"', '"c"'), type);
    expect([other.status, other.body.code]).toEqual([422, 'idempotency.other-payload']);
    const otherQuery = await post(`${PROJECTS}/import?dry_run=true`, key, file, type);
    expect([otherQuery.status, otherQuery.body.code]).toEqual([422, 'idempotency.other-payload']);
    expect(await count('ingestion_jobs')).toBe(jobs + 1);
  });

  it('is not asked for by searches and other methods', async () => {
    const key = { 'idempotency-key': '!' };
    expect((await http.send('POST', '/api/v1/similarity/find-similar', { payload: { query: 'oak' }, headers: key })).status).toBe(200);
    expect((await http.send('GET', PROJECTS, { headers: key })).status).toBe(200);
  });
});
