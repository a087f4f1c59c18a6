import { createTestDatabase, ServerProcess, type TestDatabase } from '#testing';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runKindred, type Outcome } from './command-line.js';

/** Each call is a process of its own, which loads for a second when the machine is busy. */
jest.setTimeout(180_000);

interface Report {
  readonly ok: boolean;
  readonly findings: readonly { readonly name: string; readonly state: string; readonly detail: string }[];
}

describe('kindred doctor', () => {
  let database: TestDatabase;
  let folder: string;
  let server: ServerProcess | undefined;

  beforeAll(async () => {
    database = await createTestDatabase();
    folder = mkdtempSync(join(tmpdir(), 'kindred-doctor-'));
  });
  afterAll(async () => {
    if (server !== undefined) expect(await server.end('SIGTERM')).toBe(0);
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const doctor = (words: readonly string[] = [], variables: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
    runKindred(['doctor', ...words], { DATA_DIR: folder, DATABASE_URL: database.url, ...variables });

  it('names what is wrong, with what to do, and ends with 1', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { code, out } = await doctor([], {
      PORT: String((taken.address() as AddressInfo).port),
      DATABASE_URL: 'postgres://nobody:canary-7f3a@127.0.0.1:9/none',
      QDRANT_URL: 'http://127.0.0.1:9',
      EMBEDDING_MODEL: 'nonsense',
    });
    taken.close();
    expect(code).toBe(1);
    expect(out).toMatch(/^FAIL {2}port: .*\n {6}Set PORT/m);
    for (const name of ['database', 'index', 'model']) expect(out).toMatch(new RegExp(`^FAIL  ${name}: .*\\n {6}\\w`, 'm'));
    expect(out).toMatch(/^WARN {2}service: none runs.*\n {6}Start one/m);
    expect(out).toContain('\n4 failed, 1 to look at.');
    expect(out).not.toContain('canary-7f3a');
    const config = await doctor([], { PORT: 'x' });
    expect([config.code, config.out]).toEqual([1, expect.stringContaining('FAIL  configuration: PORT must be a whole number')]);
  });

  it('finds everything well, and leaves nothing of its test behind', async () => {
    server = await ServerProcess.start({ DATABASE_URL: database.url, DATA_DIR: folder, EMBEDDING_WORKERS: '1', REQUIRE_IF_MATCH: 'true' });
    const { code, out } = await doctor(['--json']);
    const report = JSON.parse(out) as Report;
    expect([code, report.ok, report.findings.filter(({ state }) => state !== 'ok')]).toEqual([
      0,
      true,
      [
        { name: 'port', state: 'skipped', detail: expect.any(String) },
        { name: 'keys', state: 'skipped', detail: 'none is asked for' },
        { name: 'index', state: 'skipped', detail: expect.any(String) },
      ],
    ]);
    const names = report.findings.map(({ name }) => name);
    for (const name of [
      'Node.js',
      'data directory',
      'database',
      'migrations',
      'model',
      'service',
      'service: relay',
      'embed and search',
      'write',
      'find what was written',
      'delete',
    ])
      expect(names).toContain(name);
    const left = await Promise.all(['collections', 'documents', 'chunks'].map((table) => database.query(`SELECT * FROM ${table}`)));
    expect(left.map(({ rows }) => rows)).toEqual([[], [], []]);
  });

  it('says who can come in with a key, also when the pepper is gone', async () => {
    const keysFinding = async (variables: Readonly<Record<string, string>>) => {
      const { out } = await doctor(['--json', '--skip-health', '--skip-operations'], { AUTH: 'required', ...variables });
      return (JSON.parse(out) as Report).findings.find(({ name }) => name === 'keys')!;
    };
    const other = { API_KEY_PEPPER: 'p'.repeat(40) };
    expect(await keysFinding({})).toMatchObject({ state: 'fail', detail: expect.stringContaining('there is none') });
    expect(await keysFinding({ KINDRED_BOOTSTRAP_KEY: 'b'.repeat(40) })).toMatchObject({
      state: 'warn',
      detail: 'only KINDRED_BOOTSTRAP_KEY opens',
    });
    const create = ['keys', 'create', '--direct', '--name', 'somebody', '--scope', 'read'];
    expect((await runKindred(create, { DATA_DIR: folder, DATABASE_URL: database.url })).code).toBe(0);
    expect(await keysFinding({})).toMatchObject({ state: 'ok', detail: '1 is good' });
    expect(await keysFinding(other)).toMatchObject({ state: 'fail', detail: expect.stringMatching(/^1 of 1 were made with another/) });
    expect((await runKindred(create, { DATA_DIR: folder, DATABASE_URL: database.url, ...other })).code).toBe(0);
    expect(await keysFinding({})).toMatchObject({ state: 'warn', detail: expect.stringMatching(/^1 of 2 were made with another/) });
    const cut = join(folder, 'cut');
    mkdirSync(cut);
    writeFileSync(join(cut, 'api-key-pepper'), 'short');
    expect(await keysFinding({ DATA_DIR: cut })).toMatchObject({
      state: 'fail',
      detail: expect.stringContaining('api-key-pepper is not whole'),
    });
  });

  it('looks at the service alone with --url, and leaves out what it is told to', async () => {
    const { out } = await runKindred(['doctor', '--url', server!.url, '--skip-operations', '--verbose'], {});
    expect(out).toMatch(/^ok {4}service: http:.* is ok, ready, \d+ MiB$/m);
    expect(out).not.toMatch(/Node\.js|write/);
    const skipped = JSON.parse((await doctor(['--json', '--skip-health', '--skip-operations'])).out) as Report;
    expect(skipped.findings.map(({ name }) => name)).toEqual([
      'Node.js',
      'configuration',
      'data directory',
      'port',
      'database',
      'migrations',
      'keys',
      'index',
      'model',
    ]);
    const nowhere = await runKindred(['doctor', '--url', 'http://127.0.0.1:9'], {});
    expect([nowhere.code, nowhere.out]).toEqual([1, expect.stringContaining('FAIL  service: Nothing answers')]);
  });
});
