import { createTestDatabase, NO_SCHEDULES, ServerProcess, type TestDatabase, waitFor } from '#testing';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runKindred, type Outcome } from './command-line.js';

const ROWS = 12;
/** Each call is a process of its own, which loads for a second when the machine is busy. */
jest.setTimeout(180_000);

interface Hit {
  readonly results: readonly { readonly project: { readonly name: string } }[];
  readonly index: { readonly generation: string };
}

describe('the command line operates a running service', () => {
  let database: TestDatabase;
  let dataDir: string;
  let server: ServerProcess;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataDir = mkdtempSync(join(tmpdir(), 'kindred-cli-'));
    server = await ServerProcess.start({
      DATABASE_URL: database.url,
      DATA_DIR: dataDir,
      EMBEDDING_WORKERS: '1',
      ...NO_SCHEDULES,
    });
    for (let row = 1; row <= ROWS; row++) {
      const body = {
        name: `Job ${row}`,
        description: row === 1 ? 'a spiral staircase made of oak' : `a plain wall cupboard number ${row}`,
      };
      expect((await server.call('POST', '/api/v1/projects?wait_for_index_ms=10000', body)).status).toBe(201);
    }
  });
  afterAll(async () => {
    if (server !== undefined) expect(await server.end('SIGTERM')).toBe(0);
    await database.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const kindred = (...words: string[]): Promise<Outcome> => runKindred(words, { DATA_DIR: dataDir });

  const json = async <T>(...words: string[]): Promise<T> => {
    const { code, out, error } = await kindred(...words, '--json');
    expect([code, error]).toEqual([0, expect.any(String)]);
    return JSON.parse(out) as T;
  };

  const search = async (): Promise<Hit> =>
    (
      await server.call<Hit>('POST', '/api/v1/similarity/find-similar', {
        query: 'spiral staircase',
        mode: 'vector',
        top_k: 1,
        threshold: -1,
      })
    ).body;

  it('tells how far the index is, as a table and as JSON', async () => {
    const { code, out } = await kindred('status');
    expect(code).toBe(0);
    expect(out).toMatch(/generation +source +state +synced/);
    expect(out).toMatch(/1 +projects +serving +12 +0 +0 +0 +-/);
    const status = await json<{ generations: { entries: { synced: number } }[] }>('status');
    expect(status.generations[0]!.entries.synced).toBe(ROWS);
  });

  it('says what is wrong: no service, no address, a word that it does not know', async () => {
    const nowhere = await kindred('status', '--url', 'http://127.0.0.1:9');
    expect([nowhere.code, nowhere.out]).toEqual([3, '']);
    expect(nowhere.error).toContain('Nothing answers at http://127.0.0.1:9');
    const usage = await kindred('nonsense');
    expect([usage.code, usage.out, usage.error]).toEqual([2, '', expect.stringContaining('unknown command')]);
    const other = mkdtempSync(join(tmpdir(), 'kindred-cli-none-'));
    const asked = (content?: object) => {
      if (content !== undefined) writeFileSync(join(other, 'run.json'), JSON.stringify(content));
      return runKindred(['status'], { DATA_DIR: other });
    };
    expect(await asked()).toMatchObject({ code: 3, error: expect.stringContaining('No service runs with the data directory') });
    // The process id of nobody: above every limit of Linux.
    expect(await asked({ pid: 2 ** 22 + 1, url: server.url })).toMatchObject({
      code: 3,
      error: expect.stringContaining('ended without a word'),
    });
    // What listens everywhere is called by its loopback address: the admin routes answer nobody else.
    expect(await asked({ pid: server.pid, url: server.url.replace('127.0.0.1', '0.0.0.0') })).toMatchObject({ code: 0 });
    rmSync(other, { recursive: true });
  });

  it('reconciles, first only looking, and hands the certificate out', async () => {
    const dry = await kindred('reconcile', '--dry-run', '--wait');
    expect([dry.code, dry.out]).toEqual([0, expect.stringContaining('decision: clean')]);
    const begun = await json<{ id: string; decision: string }>('reconcile');
    const file = join(dataDir, 'certificate.json');
    const decision = async () => (await server.call<{ decision: string }>('GET', `/api/v1/admin/certificates/${begun.id}`)).body.decision;
    await waitFor(async () => (await decision()) === 'clean', { what: 'the certificate is clean', timeoutMs: 30_000 });
    expect(await json<{ decision: string }>('certificates', 'show', begun.id, '--out', file)).toMatchObject({ decision: 'clean' });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      id: begun.id,
      rows: ROWS,
      points: ROWS,
      verified: ROWS,
      decision: 'clean',
    });
    expect((await json<{ id: string }>('certificates', 'latest')).id).toBe(begun.id);
    const list = await kindred('certificates', 'list');
    expect(list.out.trim().split('\n')).toHaveLength(4);
    expect((await kindred('certificates', 'show', '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11')).code).toBe(1);
  });

  it('revives dead letters', async () => {
    expect((await kindred('dead-letters', 'list')).out).toContain('There are no dead letters');
    const { rows } = await database.query<{ source_id: string }>(
      `UPDATE index_ledger SET state = 'dead', last_error = '{"code": "test.dead", "message": "made by a test", "at": "2026-01-01T00:00:00Z"}'
       WHERE source_id IN (SELECT source_id FROM index_ledger ORDER BY source_id LIMIT 2) RETURNING source_id`,
    );
    expect((await kindred('dead-letters', 'list', '--code', 'test.dead')).out).toContain(rows[0]!.source_id);
    const muted = await kindred('dead-letters', 'mute', rows[0]!.source_id, '--reason', 'cannot be mended');
    expect([muted.code, muted.out]).toEqual([0, '1 muted.\n']);
    expect((await kindred('dead-letters', 'list')).out).toContain('cannot be mended');
    expect((await kindred('dead-letters', 'unmute', rows[0]!.source_id)).out).toBe('1 count again.\n');
    expect((await kindred('dead-letters', 'requeue', rows[0]!.source_id)).out).toContain('1 tried again');
    expect((await kindred('dead-letters', 'requeue', '--code', 'test.dead')).out).toContain('1 tried again');
    const synced = async () => (await database.query(`SELECT 1 FROM index_ledger WHERE state = 'synced'`)).rowCount;
    await waitFor(async () => (await synced()) === ROWS, { what: 'all rows are in the index again', timeoutMs: 30_000 });
  });

  it('builds a generation, proves it, lets it serve, goes back, and ends it', async () => {
    const plan = await kindred('generations', 'plan', '--max-tokens', '64');
    expect([plan.code, plan.out]).toEqual([0, expect.stringContaining(`rows: ${ROWS}, of which 0 have their vector already`)]);
    const created = await json<{ id: number; embedder: { max_tokens: number }; progress: { entries: { synced: number } } }>(
      ...['generations', 'create', 'projects', '--max-tokens', '64', '--reason', 'a test', '--wait'],
    );
    const [older, newer] = [(await search()).index.generation, String(created.id)];
    expect(created).toMatchObject({ embedder: { max_tokens: 64 }, progress: { entries: { synced: ROWS } } });
    const second = await kindred('generations', 'create');
    expect([second.code, second.error]).toEqual([1, expect.stringContaining('(generations.conflict)')]);
    const early = await kindred('generations', 'rollback');
    expect([early.code, early.error]).toEqual([1, expect.stringContaining('There is no older generation')]);
    const gate = await kindred('generations', 'gate', newer);
    expect([gate.code, gate.out]).toEqual([0, expect.stringContaining('gate: passed')]);
    expect((await search()).index.generation).toBe(older);
    const switched = await kindred('generations', 'switch', newer);
    expect([switched.code, switched.out]).toEqual([0, expect.stringContaining(`Generation ${newer} of projects serves now`)]);
    await waitFor(async () => (await search()).index.generation === newer, { what: 'searches use the new generation' });
    expect((await search()).results[0]!.project.name).toBe('Job 1');
    expect((await kindred('generations', 'retire', newer)).error).toContain('let another one serve first');
    expect((await kindred('generations', 'rollback')).out).toContain(`Generation ${older} of projects serves again`);
    await waitFor(async () => (await search()).index.generation === older, { what: 'searches use the old generation again' });
    expect((await search()).results[0]!.project.name).toBe('Job 1');
    // A switch without a gate of its own: the one from before is still good.
    expect((await kindred('generations', 'retire', newer)).out).toContain('is retired');
    expect((await kindred('generations', 'switch', newer)).error).toContain('(generations.retired)');
    expect((await kindred('generations', 'list')).out.trim().split('\n')).toHaveLength(4);
    expect((await kindred('generations', 'list', '--all')).out).toMatch(new RegExp(`${newer} +projects +retired`));
    expect((await kindred('generations', 'show', newer)).out).toContain(`Generation ${newer} of projects: retired`);
  });

  it('runs schedules', async () => {
    const list = await kindred('schedules', 'list');
    expect(list.out).toMatch(/statistics +off +- +- +-/);
    const outcomes = await Promise.all(
      ['quick-check', 'reconcile', 'tombstone-purge', 'cache-purge', 'statistics'].map((name) =>
        kindred('schedules', 'run', name, '--wait'),
      ),
    );
    expect(outcomes.map(({ code, out }) => [code, out.split('\n')[0]])).toEqual(
      ['quick-check', 'reconcile', 'tombstone-purge', 'cache-purge', 'statistics'].map((name) => [0, `${name}: done`]),
    );
    expect((await kindred('schedules', 'run', 'nonsense')).error).toContain('(schedules.not-found)');
    const shown = await kindred('schedules', 'show', 'statistics', '--limit', '1');
    expect([shown.code, shown.out]).toEqual([0, expect.stringMatching(/^due .*\n-.*\n\S+ \S+ .* done .*\{.*\n$/)]);
  });

  it('shows what the service remembers, and lets it forget one part or all', async () => {
    await search();
    const remembered = async () => (await json<{ query_vectors: { entries: number }[] }>('caches', 'stats')).query_vectors[0]!.entries;
    const before = await remembered();
    expect(before).toBeGreaterThan(0);
    expect((await kindred('caches', 'clear', 'answers')).out).toMatch(new RegExp(`^query-vectors +all-MiniLM-L6-v2:q8 +${before} `, 'm'));
    expect((await kindred('caches', 'clear', 'query-vectors')).out).toMatch(/^query-vectors +all-MiniLM-L6-v2:q8 +0 /m);
    await search();
    expect(await remembered()).toBe(1);
    const cleared = await json<{ query_vectors: { entries: number }[] }>('caches', 'clear', 'all');
    expect(cleared.query_vectors.map(({ entries }) => entries)).toEqual(cleared.query_vectors.map(() => 0));
  });

  it('changes what is logged, and goes back', async () => {
    const before = await json<{ levels: Record<string, string> }>('log-levels', 'show');
    expect((await kindred('log-levels', 'set', 'sync', 'debug')).out).toMatch(/^sync +debug$/m);
    const { levels } = await json<typeof before>('log-levels', 'set', 'all', 'warn');
    expect(new Set(Object.values(levels))).toEqual(new Set(['warn']));
    expect(await json('log-levels', 'reset')).toEqual(before);
  });

  it('shows the receipt of an erasure', async () => {
    const made = await server.call<{ id: string }>('POST', '/api/v1/projects', { name: 'Gone', description: 'soon' });
    const { body } = await server.call<{ erasure_id: string }>('DELETE', `/api/v1/projects/${made.body.id}?receipt=true`);
    const isRowProven = async () => {
      const receipt = await server.call<{ places: { place: string; state: string }[] }>('GET', `/api/v1/erasures/${body.erasure_id}`);
      return receipt.body.places.some(({ place, state }) => place === 'row' && state === 'proven');
    };
    await waitFor(isRowProven, { what: 'the row is proven to be gone' });
    const { code, out } = await kindred('erasures', body.erasure_id);
    expect(code).toBe(0);
    expect(out).toContain(`Erasure ${body.erasure_id} of project ${made.body.id}: pending`);
    expect(out).toMatch(/^row +- +proven +\d+ /m);
    expect(out).toContain('No backup was made before.');
    expect((await kindred('erasures', '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11')).error).toContain('.not-found)');
  });

  it('answers another origin with a refusal', async () => {
    const reply = await fetch(`${server.url}/api/v1/admin/sync/status`, { headers: { 'x-forwarded-for': '127.0.0.1' } });
    expect([reply.status, ((await reply.json()) as { code: string }).code]).toEqual([403, 'admin.loopback-only']);
  });
});
