import { createTestDatabase, ServerProcess, SHORT_LEASES, type TestDatabase, waitFor } from '#testing';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Nothing else in the world says this: wherever it turns up, it was kept. */
const CANARY = 'zirbelstube-7f3a';
const PLACES = ['conversations', 'embedding-cache', 'import-files', 'index', 'ledger', 'process-memory', 'row', 'stored-answers'];
jest.setTimeout(120_000);

interface Receipt {
  readonly id: string;
  readonly state: string;
  readonly logged_at: string | null;
  readonly finished_at: string | null;
  readonly last_error: string | null;
  readonly places: readonly {
    readonly place: string;
    readonly part: string;
    readonly state: string;
    readonly removed: number;
    readonly proven_at: string | null;
  }[];
  readonly backups: readonly { readonly id: string; readonly location: string }[];
}

describe('erasure with a receipt', () => {
  let database: TestDatabase;
  let folder: string;
  let log: string;
  let server: ServerProcess;

  const environment = () => ({ DATABASE_URL: database.url, DATA_DIR: join(folder, 'data'), ERASURE_LOG: log, ...SHORT_LEASES });
  const lines = () =>
    existsSync(log)
      ? readFileSync(log, 'utf8')
          .trim()
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as { erasure_id: string; target_id: string })
      : [];

  const snapshots = () => {
    const index = join(folder, 'data', 'index');
    return Buffer.concat(readdirSync(index).map((name) => readFileSync(join(index, name))));
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    folder = mkdtempSync(join(tmpdir(), 'kindred-erasure-'));
    log = join(folder, 'log', 'erasures.ndjson');
    server = await ServerProcess.start(environment(), { preloads: ['fake-embedder', 'crash-point'] });
  });
  afterAll(async () => {
    await server.end('SIGTERM');
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const send = (description: string, key: string = randomUUID()) =>
    fetch(`${server.url}/api/v1/projects?wait_for_index_ms=10000`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ name: 'Stube', description }),
    });

  async function project(description: string, key?: string): Promise<string> {
    const reply = await send(description, key);
    expect(reply.status).toBe(201);
    return ((await reply.json()) as { id: string }).id;
  }

  async function erase(path: string): Promise<string> {
    const { status, body, headers } = await server.call<{ erasure_id: string }>('DELETE', `${path}?receipt=true`);
    expect(status).toBe(202);
    expect(headers.get('location')).toBe(`/api/v1/erasures/${body.erasure_id}`);
    return body.erasure_id;
  }

  const receipt = async (id: string): Promise<Receipt> => (await server.call<Receipt>('GET', `/api/v1/erasures/${id}`)).body;

  const proven = (id: string): Promise<Receipt> =>
    waitFor(
      async () => {
        const now = await receipt(id);
        if (now.state === 'failed') throw new Error(JSON.stringify(now));
        return now.state === 'proven' ? now : null;
      },
      { what: `the erasure ${id} is proven`, timeoutMs: 60_000, intervalMs: 100 },
    );

  /** Every text of every table, and of the erasure log. */
  async function everything(): Promise<string> {
    const { rows: tables } = await database.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname IN ('public', 'pgboss')`,
    );
    const texts: string[] = [];
    for (const { name } of tables) {
      const { rows } = await database
        .query<{ text: string | null }>(`SELECT string_agg(t::text, ' ') AS text FROM ${name} t`)
        .catch(() => ({ rows: [] }));
      texts.push(rows[0]?.text ?? '');
    }
    return [...texts, existsSync(log) ? readFileSync(log, 'utf8') : ''].join('\n');
  }

  it('proves each place, and leaves nothing of the row in any table, in the log or in the index on the disk', async () => {
    const kept = await project('a plain wall cupboard');
    const key = randomUUID();
    const id = await project(`a ${CANARY} of pine`, key);
    expect(await everything()).toContain(CANARY);
    const vectors = (await database.query<{ count: number }>('SELECT count(*)::int AS count FROM embedding_cache')).rows[0]!.count;
    await database.query(`INSERT INTO backups (id, location) VALUES (gen_random_uuid(), 'host:/backups/before')`);
    const erasure = await erase(`/api/v1/projects/${id}`);
    // Before the reply.
    expect(lines()).toEqual([expect.objectContaining({ erasure_id: erasure, target_id: id })]);
    await database.query(`INSERT INTO backups (id, location) VALUES (gen_random_uuid(), 'host:/backups/after')`);
    const begun = await receipt(erasure);
    expect(begun.places.map(({ place }) => place).sort()).toEqual(expect.arrayContaining(['embedding-cache', 'index', 'ledger', 'row']));
    const done = await proven(erasure);
    expect([...new Set(done.places.map(({ place }) => place))].sort()).toEqual(PLACES);
    expect(done.places.filter(({ state, proven_at }) => state !== 'proven' || proven_at === null)).toEqual([]);
    expect(done.places.find(({ place }) => place === 'embedding-cache')).toMatchObject({ removed: 1 });
    expect(done.backups.map(({ location }) => location)).toEqual(['host:/backups/before']);
    expect(await everything()).not.toContain(CANARY);
    expect((await database.query<{ count: number }>('SELECT count(*)::int AS count FROM embedding_cache')).rows[0]!.count).toBe(
      vectors - 1,
    );
    expect((await database.query('SELECT 1 FROM index_ledger WHERE source_id = $1', [id])).rows).toEqual([]);
    expect((await server.call('GET', `/api/v1/projects/${kept}`)).status).toBe(200);
    const again = await send(`a ${CANARY} of pine`, key);
    expect([again.status, await again.json()]).toMatchObject([409, { code: 'idempotency.answer-erased' }]);
    const onDisk = snapshots();
    expect([kept, id].map((one) => onDisk.includes(one))).toEqual([true, false]);
  });

  it('changes nothing without receipt=true, and refuses anything else', async () => {
    const id = await project('a bench');
    expect((await server.call('DELETE', `/api/v1/projects/${id}?receipt=yes`)).status).toBe(400);
    expect((await server.call('DELETE', `/api/v1/projects/${id}?receipt=false`)).status).toBe(204);
    expect((await server.call('DELETE', `/api/v1/projects/${id}?receipt=true`)).status).toBe(404);
    expect((await server.call('GET', `/api/v1/erasures/${id}`)).status).toBe(404);
    expect(lines().filter((line) => line.target_id === id)).toEqual([]);
  });

  it('keeps a vector that another row needs', async () => {
    await project('the same words');
    const { body } = await server.call<{ id: string }>('POST', '/api/v1/projects?wait_for_index_ms=10000', {
      name: 'Stube',
      description: 'the same words',
    });
    const done = await proven(await erase(`/api/v1/projects/${body.id}`));
    expect(done.places.find(({ place }) => place === 'embedding-cache')).toMatchObject({
      state: 'proven',
      removed: 0,
      detail: expect.stringContaining('1 kept'),
    });
  });

  it('takes a document with its chunks, and the chats that cite it', async () => {
    await server.call('POST', '/api/v1/collections', { name: 'faq' });
    const { body: document } = await server.call<{ id: string }>('POST', '/api/v1/documents?wait_for_index_ms=10000', {
      collection: 'faq',
      title: `How is a ${CANARY} cared for?`,
      content: `A ${CANARY} is oiled once a year.`,
    });
    const { body: chat } = await server.call<{ conversation_id: string; citations: { document_id: string }[] }>(
      'POST',
      '/api/chat/message',
      {
        message: `How is a ${CANARY} cared for?`,
      },
    );
    expect(chat.citations.map(({ document_id }) => document_id)).toContain(document.id);
    const done = await proven(await erase(`/api/v1/documents/${document.id}`));
    expect(done.places.find(({ place }) => place === 'conversations')).toMatchObject({ state: 'proven', removed: 1 });
    expect((await server.call('GET', `/api/chat/${chat.conversation_id}`)).status).toBe(404);
    expect(await everything()).not.toContain(CANARY);
  });

  it('writes the line that a killed process could not write, and proves what it began', async () => {
    const id = await project(`another ${CANARY}`);
    expect(await server.end('SIGTERM')).toBe(0);
    const before = lines().length;
    server = await ServerProcess.start(
      { ...environment(), KINDRED_CRASH_AT: 'erasure.deleted' },
      { preloads: ['fake-embedder', 'crash-point'] },
    );
    await server.call('DELETE', `/api/v1/projects/${id}?receipt=true`).catch(() => undefined);
    expect(await server.ended).toBe('SIGKILL');
    expect(lines()).toHaveLength(before);
    const { rows } = await database.query<{ id: string }>('SELECT id FROM erasures WHERE target_id = $1', [id]);
    server = await ServerProcess.start(
      { ...environment(), KINDRED_CRASH_AT: 'erasure.place-proven:3' },
      { preloads: ['fake-embedder', 'crash-point'] },
    );
    expect(await server.ended).toBe('SIGKILL');
    // The lease of the dead process; a test need not wait for it.
    await database.query('UPDATE erasures SET next_attempt_at = now()');
    server = await ServerProcess.start(environment(), { preloads: ['fake-embedder'] });
    const done = await proven(rows[0]!.id);
    expect(done).toMatchObject({ state: 'proven', last_error: null });
    expect(lines().filter((line) => line.target_id === id)).toHaveLength(1);
    expect(await everything()).not.toContain(CANARY);
  });

  it('says so when the log takes no line, and writes it as soon as it does', async () => {
    const id = await project('a log that is full');
    rmSync(log, { force: true });
    mkdirSync(log);
    const refused = await server.call<{ code: string; detail: string }>('DELETE', `/api/v1/projects/${id}?receipt=true`);
    expect([refused.status, refused.body.code]).toEqual([503, 'erasures.log-unavailable']);
    const path = refused.headers.get('location')!;
    const look = async () => (await server.call<Receipt>('GET', path)).body;
    await waitFor(async () => (await look()).last_error !== null, { what: 'the worker has seen it, too', timeoutMs: 20_000 });
    expect(await look()).toMatchObject({ state: 'pending', logged_at: null });
    rmSync(log, { recursive: true });
    const done = await proven(path.split('/').at(-1)!);
    expect(done.logged_at).not.toBeNull();
    expect(lines().map(({ target_id }) => target_id)).toEqual([id]);
  });
});
