import { createTestDatabase, ServerProcess, waitFor, type TestDatabase } from '#testing';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createWebServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runKindred, type Outcome } from './command-line.js';

/** Each call is a process of its own, which loads for a second when the machine is busy. */
jest.setTimeout(180_000);
const CANARY = 'canary-7f3a9c1e5b2d4f6a8c0e1b3d5f7a9c2e';
const KEY = /^kdr_[0-9a-f]{12}_\w+$/;

describe('the command line makes keys, and uses them', () => {
  let database: TestDatabase;
  let folder: string;
  let server: ServerProcess | undefined;
  let operator: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    folder = mkdtempSync(join(tmpdir(), 'kindred-keys-'));
  });
  afterAll(async () => {
    if (server !== undefined) expect(await server.end('SIGTERM')).toBe(0);
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const kindred = (words: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
    runKindred(words, { DATA_DIR: folder, DATABASE_URL: database.url, ...variables });

  it('makes the first key in the database itself; the service that asks for keys starts with it', async () => {
    const made = await kindred(['keys', 'create', '--direct', '--name', 'operator', '--scope', 'admin', '--scope', 'write']);
    expect([made.code, made.error]).toEqual([0, expect.stringContaining('admin, write; does not expire')]);
    operator = made.out.trim();
    expect(operator).toMatch(KEY);
    const { rows } = await database.query(`SELECT channel, action, result, detail::text FROM audit_entries ORDER BY audit_id`);
    expect(rows).toMatchObject([{ channel: 'cli', action: 'keys create' }, { result: 'ok' }]);
    expect(JSON.stringify(rows)).not.toContain(operator.split('_')[2]);
    server = await ServerProcess.start({ AUTH: 'required', DATABASE_URL: database.url, DATA_DIR: folder, EMBEDDING_WORKERS: '1' });
  });

  it('says what to do when the key is missing, wrong, or may not', async () => {
    const missing = await kindred(['status']);
    expect([missing.code, missing.out, missing.error]).toEqual([4, '', expect.stringContaining('KINDRED_API_KEY')]);
    const wrong = await kindred(['status', '--key', CANARY, '--json']);
    const failure = JSON.parse(wrong.error) as { error: { code: string; advice: string; exit_code: number } };
    expect([wrong.code, failure.error]).toMatchObject([
      4,
      { code: 'access.key-refused', exit_code: 4, advice: expect.stringContaining('revoked') },
    ]);
    expect(wrong.out + wrong.error).not.toContain(CANARY);
    const odd = await kindred(['status'], { KINDRED_API_KEY: `${CANARY} ${CANARY}` });
    expect([odd.code, odd.error.includes(CANARY)]).toEqual([1, false]);
  });

  it('takes the key from --key, the environment, or a file', async () => {
    expect((await kindred(['status', '--key', operator])).code).toBe(0);
    expect((await kindred(['status'], { KINDRED_API_KEY: operator })).code).toBe(0);
    writeFileSync(join(folder, 'key'), `${operator}\n`);
    expect((await kindred(['status'], { KINDRED_API_KEY_FILE: join(folder, 'key') })).code).toBe(0);
  });

  it('makes, lists, rotates and revokes keys over the service', async () => {
    const as = { KINDRED_API_KEY: operator };
    const words = [
      'keys',
      'create',
      '--name',
      'website',
      '--scope',
      'write',
      '--from',
      '127.0.0.0/8',
      '--per-minute',
      '600',
      '--expires',
      '90d',
    ];
    const made = JSON.parse((await kindred([...words, '--json'], as)).out) as { id: string; key: string };
    expect(made.key).toMatch(KEY);
    const list = await kindred(['keys', 'list'], as);
    expect(list.out).toMatch(new RegExp(`${made.id} +website +write +good .* 127\\.0\\.0\\.0/8 +600 +all`));
    expect(list.out).not.toContain(made.key);
    const forbidden = await kindred(['status'], { KINDRED_API_KEY: made.key });
    expect([forbidden.code, forbidden.error]).toEqual([4, expect.stringContaining('This key may not do that')]);
    const rotated = await kindred(['keys', 'rotate', made.id, '--overlap', '1h'], as);
    expect([rotated.code, KEY.test(rotated.out.trim())]).toEqual([0, true]);
    expect((await kindred(['search', 'oak'], { KINDRED_API_KEY: rotated.out.trim() })).code).toBe(0);
    expect((await kindred(['search', 'oak'], { KINDRED_API_KEY: made.key })).code).toBe(0);
    expect(await kindred(['keys', 'revoke', made.id], as)).toMatchObject({ code: 0, out: `Key ${made.id} is revoked.\n` });
    expect((await kindred(['search', 'oak'], { KINDRED_API_KEY: made.key })).code).toBe(4);
    expect((await kindred(['keys', 'revoke', '000000000000'], as)).error).toContain('(keys.not-found)');
  });

  it('lists and exports who did what', async () => {
    const as = { KINDRED_API_KEY: operator };
    const list = await kindred(['audit', 'list', '--limit', '2'], as);
    expect(list.out).toMatch(
      / operator \([0-9a-f]{12}\) +127\.0\.0\.1 +DELETE \/api\/v1\/admin\/keys\/:id +000000000000 +refused \(keys\.not-found\)$/m,
    );
    const [, cursor] = /^More: --cursor (\d+)$/m.exec(list.out) ?? [];
    const next = JSON.parse((await kindred(['audit', 'list', '--cursor', cursor!, '--json'], as)).out) as { items: { action: string }[] };
    expect(next.items.map(({ action }) => action)).toEqual([
      'POST /api/v1/admin/keys/:id/rotate',
      'POST /api/v1/admin/keys',
      'keys create',
    ]);
    const path = join(folder, 'audit.ndjson');
    expect(await kindred(['audit', 'export', '--out', path], as)).toEqual({ code: 0, out: '', error: '' });
    const lines = readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { channel: string });
    expect([lines.length, lines.at(-1)]).toMatchObject([5, { channel: 'cli', action: 'keys create', result: 'ok' }]);
    expect((await kindred(['audit', 'export'], as)).out).toBe(readFileSync(path, 'utf8'));
  });

  it('follows no redirection with its key', async () => {
    const asked: (string | undefined)[] = [];
    const target = createWebServer((request, reply) => {
      asked.push(request.headers.authorization);
      reply.end('{}');
    });
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(target.address() as AddressInfo).port}`;
    const gateway = createWebServer((_request, reply) => reply.writeHead(307, { location: `${origin}/status` }).end());
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
    try {
      const redirected = await kindred(['status', '--url', url, '--key', CANARY]);
      expect([redirected.code, redirected.error]).toEqual([1, expect.stringContaining(`${url} redirects to ${origin}`)]);
      expect(asked).toEqual([]);
    } finally {
      await Promise.all([target, gateway].map((one) => new Promise((resolve) => one.close(resolve))));
    }
  });

  it('shows the configuration without a secret', async () => {
    const { code, out, error } = await kindred(['config', '--json'], {
      QDRANT_API_KEY: CANARY,
      API_KEY_PEPPER: CANARY,
      KINDRED_API_KEY: CANARY,
      QDRANT_URL: `https://u:${CANARY}@127.0.0.1:1`,
    });
    expect([code, (out + error).includes(CANARY)]).toEqual([0, false]);
    expect((JSON.parse(out) as { variables: object[] }).variables).toContainEqual({
      variable: 'QDRANT_API_KEY',
      value: '********',
      origin: 'environment',
    });
    const wrong = await kindred(['config', '--changed'], { PORT: CANARY });
    expect([wrong.code, wrong.error]).toEqual([1, 'PORT must be a whole number\n']);
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('takes --key out of the list of processes', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const main = join(process.cwd(), 'dist', 'apps', 'cli', 'src', 'main.js');
    const child = spawn(process.execPath, [main, 'status', '--url', url, `--key=${CANARY}`], {
      env: { PATH: process.env['PATH'] },
      stdio: 'ignore',
    });
    try {
      const commandLine = (): string => readFileSync(`/proc/${child.pid}/cmdline`, 'utf8');
      await waitFor(() => Promise.resolve(!commandLine().includes(CANARY)), { what: 'the key is gone', timeoutMs: 30_000 });
      expect(commandLine().replaceAll('\0', '')).toBe('kindred');
    } finally {
      child.kill('SIGKILL');
      silent.close();
    }
  });
});
