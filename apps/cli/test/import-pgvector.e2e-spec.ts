import { createTestDatabase, ServerProcess, waitFor, type TestDatabase } from '#testing';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const CLI = join(process.cwd(), 'dist', 'apps', 'cli', 'src', 'main.js');
const ROWS = 300;
const DIMENSIONS = 384;
/** Each call is a process of its own, which loads for a second when the machine is busy. */
jest.setTimeout(180_000);

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

interface Report {
  readonly skipped: number;
  readonly read: number;
  readonly inserted: number;
  readonly vectors: { readonly kept: number };
  readonly verification: { readonly is_passed: boolean; readonly documents: number; readonly sample: { readonly compared: number } };
}

describe('kindred import pgvector', () => {
  let database: TestDatabase;
  let foreign: TestDatabase;
  let dataDir: string;
  let server: ServerProcess;

  beforeAll(async () => {
    [database, foreign] = [await createTestDatabase(), await createTestDatabase()];
    dataDir = mkdtempSync(join(tmpdir(), 'kindred-pgvector-'));
    await foreign.query('CREATE DOMAIN vector AS text');
    await foreign.query('CREATE TABLE dq_embeddings (id integer PRIMARY KEY, content text, embedding vector)');
    // Vectors that no model has made: where they come out again, none was asked.
    await foreign.query(
      `INSERT INTO dq_embeddings SELECT n, 'board number ' || n, (SELECT '[' || string_agg(sin(n * place)::text, ',') || ']' FROM generate_series(1, $2::int) place)
       FROM generate_series(1, $1::int) n`,
      [ROWS, DIMENSIONS],
    );
    server = await ServerProcess.start({ DATABASE_URL: database.url, DATA_DIR: dataDir, EMBEDDING_WORKERS: '1' });
  });
  afterAll(async () => {
    if (server !== undefined) expect(await server.end('SIGTERM')).toBe(0);
    await Promise.all([database.close(), foreign.close()]);
    rmSync(dataDir, { recursive: true, force: true });
  });

  const env = () => ({ PATH: process.env['PATH'], DATA_DIR: dataDir });
  const call = (...words: string[]): Promise<Outcome> =>
    new Promise((resolve) => {
      execFile(process.execPath, [CLI, 'import', 'pgvector', ...words], { env: env() }, (failure, out, error) => {
        resolve({ code: failure === null ? 0 : Number(failure.code), out, error });
      });
    });
  const words = (map = 'content=content,external_id=id,vector=embedding', table = 'dq_embeddings') => [
    ...['--from', foreign.url, '--table', table, '--map', map, '--collection', 'boards'],
  ];
  const MODEL = ['--model', 'all-MiniLM-L6-v2', '--dimensions', String(DIMENSIONS)];
  const documents = async () => (await database.query<{ n: number }>('SELECT count(*)::int AS n FROM documents')).rows[0]!.n;

  const acts = async () => {
    const { rows } = await database.query<{ channel: string; target: string; detail: { from: string }; result: string | null }>(
      `SELECT begun.channel, begun.target, begun.detail, ended.result FROM audit_entries begun
       LEFT JOIN audit_entries ended ON ended.act_id = begun.act_id AND ended.phase = 'ended'
       WHERE begun.phase = 'begun' AND begun.action = 'import pgvector' ORDER BY begun.audit_id`,
    );
    return rows;
  };

  it('says what is wrong, in a sentence', async () => {
    const outcomes = await Promise.all([
      call('--from', 'http://x', '--table', 't', '--map', 'm', '--collection', 'c'),
      call(...words('content=content')),
      call(...words(), '--model', 'all-MiniLM-L6-v2'),
      call(...words(undefined, 'nowhere')),
      call(...words(), '--model', 'unheard', '--dimensions', '3072'),
      call('--from', 'postgres://nobody:secret@127.0.0.1:9/x', ...words().slice(2)),
    ]);
    expect(outcomes.map(({ code, out }) => [code, out])).toEqual([2, 2, 2, 1, 1, 1].map((code) => [code, '']));
    const errors = outcomes.map(({ error }) => error);
    expect(errors[0]).toContain('--from must be like postgres://');
    expect(errors[1]).toContain('--map must name a column for external_id');
    expect(errors[2]).toContain('are given together');
    expect(errors[3]).toContain('The source has no table nowhere');
    expect(errors[4]).toContain('No index of documents has the model unheard with 3072 dimensions');
    expect(errors[5]).toContain('The source cannot be opened');
    expect(errors.join('')).not.toMatch(/secret| {4}at /);
  });

  it('a dry run writes nothing', async () => {
    const { code, out } = await call(...words(), ...MODEL, '--dry-run');
    expect([code, out]).toEqual([
      0,
      expect.stringContaining(`A dry run: nothing was written. What would happen:\nTotal: ${ROWS}\nSuccessfully migrated: ${ROWS}`),
    ]);
    await expect(documents()).resolves.toBe(0);
    await expect(acts()).resolves.toEqual([]);
  });

  it('survives kill -9: the resumed run brings exactly the rest, and no vector is made anew', async () => {
    const child = spawn(process.execPath, [CLI, 'import', 'pgvector', ...words(), ...MODEL, '--batch-size', '2'], {
      env: env(),
      stdio: 'ignore',
    });
    const ended = once(child, 'exit');
    await waitFor(async () => (await documents()) >= 20, { what: 'twenty documents are there', timeoutMs: 60_000 });
    child.kill('SIGKILL');
    await ended;
    const before = await documents();
    expect(before).toBeLessThan(ROWS);
    const { code, out } = await call(...words(), ...MODEL, '--resume', '--json');
    const report = JSON.parse(out) as Report;
    expect([code, report]).toMatchObject([
      0,
      { skipped: before, read: ROWS - before, inserted: ROWS - before, vectors: { kept: ROWS - before } },
    ]);
    await expect(documents()).resolves.toBe(ROWS);
    await waitFor(
      async () =>
        (await database.query(`SELECT 1 FROM index_ledger WHERE state = 'synced' AND indexed_version IS NOT NULL`)).rows.length === ROWS,
      { what: 'every chunk is in the index', timeoutMs: 60_000 },
    );
    const [killed, resumed] = await acts();
    expect(killed).toMatchObject({ channel: 'cli', target: 'boards', detail: { table: 'dq_embeddings', resume: false }, result: null });
    expect(resumed).toMatchObject({ target: 'boards', detail: { model: 'all-MiniLM-L6-v2', resume: true }, result: 'ok' });
    expect(resumed!.detail.from).toBe(new URL(foreign.url).host + new URL(foreign.url).pathname);
    const again = await call(...words(), ...MODEL, '--resume', '--sample', String(ROWS), '--seed', 'x', '--json');
    const { verification } = JSON.parse(again.out) as Report;
    expect([again.code, verification]).toMatchObject([0, { is_passed: true, documents: ROWS, sample: { compared: ROWS } }]);
    const repeated = await call(...words(), ...MODEL);
    expect([repeated.code, repeated.out]).toEqual([
      0,
      expect.stringContaining(`Documents: 0 new, 0 changed, ${ROWS} unchanged\nVectors: ${ROWS} kept`),
    ]);
    expect(repeated.out).toContain('Verified: passed');
  });
});
