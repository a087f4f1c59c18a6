import { createTestDatabase, ServerProcess, waitFor, type TestDatabase } from '#testing';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runKindred, type Outcome } from './command-line.js';

const CLI = join(process.cwd(), 'dist', 'apps', 'cli', 'src', 'main.js');
const ROWS = 300;
const DIMENSIONS = 384;
/** Each call is a process of its own, which loads for a second when the machine is busy. */
jest.setTimeout(180_000);

interface Report {
  readonly skipped: number;
  readonly read: number;
  readonly inserted: number;
  readonly vectors: { readonly kept: number };
  readonly verification: { readonly is_passed: boolean; readonly documents: number; readonly sample: { readonly compared: number } };
}

/** One service for both: starting it takes longer than most of these tests. */
let database: TestDatabase;
let folder: string;
let server: ServerProcess;

beforeAll(async () => {
  database = await createTestDatabase();
  folder = mkdtempSync(join(tmpdir(), 'kindred-transfer-'));
  server = await ServerProcess.start({ DATABASE_URL: database.url, DATA_DIR: dataDir(), EMBEDDING_WORKERS: '1' });
});
afterAll(async () => {
  if (server !== undefined) expect(await server.end('SIGTERM')).toBe(0);
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

const dataDir = (): string => join(folder, 'data');
const kindred = (words: readonly string[], input = ''): Promise<Outcome> => runKindred(words, { DATA_DIR: dataDir() }, { input });

describe('kindred import pgvector', () => {
  let foreign: TestDatabase;

  beforeAll(async () => {
    foreign = await createTestDatabase();
    await foreign.query('CREATE DOMAIN vector AS text');
    await foreign.query('CREATE TABLE dq_embeddings (id integer PRIMARY KEY, content text, embedding vector)');
    // Vectors that no model has made: where they come out again, none was asked.
    await foreign.query(
      `INSERT INTO dq_embeddings SELECT n, 'board number ' || n, (SELECT '[' || string_agg(sin(n * place)::text, ',') || ']' FROM generate_series(1, $2::int) place)
       FROM generate_series(1, $1::int) n`,
      [ROWS, DIMENSIONS],
    );
  });
  afterAll(() => foreign.close());

  const pgvector = (...words: string[]): Promise<Outcome> => kindred(['import', 'pgvector', ...words]);
  const words = (map = 'content=content,external_id=id,vector=embedding', table = 'dq_embeddings') => [
    ...['--from', foreign.url, '--table', table, '--map', map, '--collection', 'boards'],
  ];
  const MODEL = ['--model', 'all-MiniLM-L6-v2', '--dimensions', String(DIMENSIONS)];
  const documents = async () => {
    const { rows } = await database.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM documents d JOIN collections c ON c.id = d.collection_id WHERE c.name = 'boards'`,
    );
    return rows[0]!.n;
  };

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
      pgvector(...words('content=content')),
      pgvector(...words(undefined, 'nowhere')),
      pgvector(...words(), '--model', 'unheard', '--dimensions', '3072'),
      pgvector('--from', 'postgres://nobody:secret@127.0.0.1:9/x', ...words().slice(2)),
    ]);
    expect(outcomes.map(({ code, out }) => [code, out])).toEqual([2, 1, 1, 1].map((code) => [code, '']));
    const errors = outcomes.map(({ error }) => error);
    expect(errors[0]).toContain('--map must name a column for external_id');
    expect(errors[1]).toContain('The source has no table nowhere');
    expect(errors[2]).toContain('No index of documents has the model unheard with 3072 dimensions');
    expect(errors[3]).toContain('The source cannot be opened');
    expect(errors.join('')).not.toMatch(/secret| {4}at /);
  });

  it('a dry run writes nothing', async () => {
    const { code, out } = await pgvector(...words(), ...MODEL, '--dry-run');
    expect([code, out]).toEqual([
      0,
      expect.stringContaining(`A dry run: nothing was written. What would happen:\nTotal: ${ROWS}\nSuccessfully migrated: ${ROWS}`),
    ]);
    await expect(documents()).resolves.toBe(0);
    await expect(acts()).resolves.toEqual([]);
  });

  it('survives kill -9: the resumed run brings exactly the rest, and no vector is made anew', async () => {
    const child = spawn(process.execPath, [CLI, 'import', 'pgvector', ...words(), ...MODEL, '--batch-size', '2'], {
      env: { PATH: process.env['PATH'], DATA_DIR: dataDir() },
      stdio: 'ignore',
    });
    const ended = once(child, 'exit');
    await waitFor(async () => (await documents()) >= 20, { what: 'twenty documents are there', timeoutMs: 60_000 });
    child.kill('SIGKILL');
    await ended;
    const before = await documents();
    expect(before).toBeLessThan(ROWS);
    const { code, out } = await pgvector(...words(), ...MODEL, '--resume', '--json');
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
    const again = await pgvector(...words(), ...MODEL, '--resume', '--sample', String(ROWS), '--seed', 'x', '--json');
    const { verification } = JSON.parse(again.out) as Report;
    expect([again.code, verification]).toMatchObject([0, { is_passed: true, documents: ROWS, sample: { compared: ROWS } }]);
    const repeated = await pgvector(...words(), ...MODEL);
    expect([repeated.code, repeated.out]).toEqual([
      0,
      expect.stringContaining(`Documents: 0 new, 0 changed, ${ROWS} unchanged\nVectors: ${ROWS} kept`),
    ]);
    expect(repeated.out).toContain('Verified: passed');
  });
});

describe('the command line imports and exports', () => {
  beforeAll(async () => {
    expect((await server.call('POST', '/api/v1/collections', { name: 'faq' })).status).toBe(201);
  });

  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  it('imports a file, prints what was refused by line, and the summary; 1 because of the refused line', async () => {
    const path = file(
      'offers.csv',
      'name;description;complexity;external_id\nGate;Larch gate;2;a\nDoor;Oak door;9;b\nStairs;Ash stairs;3;c\n',
    );
    const { code, out, error } = await kindred(['import', path]);
    expect(error).toMatch(/^Uploading 100 %\nThe file is stored\. .*kindred import --resume [0-9a-f-]{36}$/m);
    expect(out).toContain(`${path}:3: /complexity must be at most 5 (too-large)\n`);
    expect(out).toMatch(
      /^Total: 3\nSuccessfully migrated: 2\nFailed: 1\nTotal time: \d+\.\d\d s\nAverage: [\d.]+ ms per row\n2 new, 0 changed, 0 unchanged\.$/m,
    );
    expect(code).toBe(1);
    const list = await kindred(['jobs', 'list', '--limit', '1']);
    const [, id] = /^([0-9a-f-]{36}) +projects +done +3 +1 .* offers\.csv$/m.exec(list.out) ?? [list.out];
    const shown = await kindred(['jobs', 'show', id!]);
    expect([shown.code, shown.out]).toEqual([0, expect.stringContaining('rows: 3; 2 new, 0 changed, 0 unchanged, 1 rejected')]);
    expect(shown.out).toContain('offers.csv:3: /complexity must be at most 5 (too-large)\n');
  });

  it('imports standard input, and the same again without a change; 0', async () => {
    const rows = ['a', 'c', 'd'].map((id) => JSON.stringify({ name: id, description: `Row ${id}`, external_id: id })).join('\n');
    const first = await kindred(['import', '-', '--format', 'ndjson'], rows);
    expect([first.code, first.out]).toEqual([0, expect.stringContaining('1 new, 2 changed, 0 unchanged.')]);
    const second = await kindred(['import', '-', '--format', 'ndjson', '--json'], rows);
    const job = JSON.parse(second.out) as { id: string; progress: { unchanged: number } };
    expect([second.code, job.progress.unchanged]).toEqual([0, 3]);
    const again = await kindred(['import', '--resume', job.id]);
    expect([again.code, again.out]).toEqual([0, expect.stringContaining('Total: 3')]);
    // One that is over stays as it is.
    expect(JSON.parse((await kindred(['jobs', 'cancel', job.id, '--json'])).out)).toMatchObject({ id: job.id, state: 'done' });
  });

  it('imports documents into a collection', async () => {
    const pairs = file('faq.csv', 'question,answer,external_id\nWhich wood?,Larch.,1\n');
    expect((await kindred(['import', pairs, '--collection', 'faq'])).out).toContain('1 new, 0 changed');
    const text = file('oak.md', '# Oak\n\nHard.\n');
    expect((await kindred(['import', text, '--collection', 'faq', '--dry-run'])).out).toContain('A dry run: nothing was written.');
    const missing = await kindred(['import', text, '--collection', 'none']);
    expect([missing.code, missing.error]).toEqual([1, expect.stringContaining('collections.unknown')]);
  });

  it('exports to standard output or a file, which an import takes back', async () => {
    const { code, out } = await kindred(['export', 'projects']);
    expect([code, out.trim().split('\n').length]).toEqual([0, 3]);
    const path = join(folder, 'out.csv');
    expect(await kindred(['export', 'documents', '--format', 'csv', '--collection', 'faq', '--out', path])).toEqual({
      code: 0,
      out: '',
      error: '',
    });
    expect(readFileSync(path, 'utf8').split('\r\n')).toHaveLength(3);
    expect(existsSync(`${path}.part`)).toBe(false);
    expect((await kindred(['import', path, '--kind', 'documents'])).out).toContain('0 new, 0 changed, 1 unchanged.');
  });

  it.each([
    [['import', '-', '--format', 'csv'], 'The file must not be empty'],
    [['import', '/dev/null', '--format', 'csv'], 'The file must not be empty'],
    [['import', '--resume', '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11'], 'jobs.not-found'],
    [['jobs', 'show', '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11'], 'jobs.not-found'],
  ])('%j ends with 1', async (words, text) => {
    expect(await kindred(words)).toMatchObject({ code: 1, error: expect.stringContaining(text) });
  });
});
