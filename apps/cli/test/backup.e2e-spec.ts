import { CopyConnection, migrationNames } from '#database';
import { createTestDatabase, ServerProcess, SHORT_LEASES, type TestDatabase, waitFor } from '#testing';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const DIST = join(process.cwd(), 'dist');
const CLI = join(DIST, 'apps', 'cli', 'src', 'main.js');
const CRASHES = ['--import', join(DIST, 'libs', 'testing', 'src', 'preloads', 'crash-point-preload.js')];
const ROWS = 30;
jest.setTimeout(180_000);

interface Outcome {
  readonly code: number | string;
  readonly out: string;
  readonly error: string;
}

interface RestoreReply {
  readonly rows: number;
  readonly certificates: readonly { readonly source: string; readonly decision: string; readonly rows: number; readonly points: number }[];
  readonly proof: string;
}

describe('backup and restore of a service, by the command line', () => {
  const databases: TestDatabase[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'kindred-backup-e2e-'));
  const whole = join(folder, 'whole');
  let source: TestDatabase;
  let server: ServerProcess;

  const environment = (database: TestDatabase, name: string) => ({
    DATABASE_URL: database.url,
    DATA_DIR: join(folder, name),
    ...SHORT_LEASES,
  });

  async function database(): Promise<TestDatabase> {
    const made = await createTestDatabase();
    databases.push(made);
    return made;
  }

  const kindred = (variables: Record<string, string>, ...words: string[]): Promise<Outcome> =>
    new Promise((resolve) => {
      const nodeArguments = variables['KINDRED_CRASH_AT'] === undefined ? [] : CRASHES;
      execFile(
        process.execPath,
        [...nodeArguments, CLI, ...words],
        { env: { PATH: process.env['PATH'], ...variables } },
        (failure, out, error) => resolve({ code: failure === null ? 0 : (failure.signal ?? Number(failure.code)), out, error }),
      );
    });

  beforeAll(async () => {
    source = await database();
    server = await ServerProcess.start(environment(source, 'source'));
    for (let row = 1; row <= ROWS; row++) {
      const body = {
        name: `Job ${row}`,
        description: row === 1 ? 'a spiral staircase made of oak' : `a plain wall cupboard number ${row}`,
      };
      expect((await server.call('POST', '/api/v1/projects', body)).status).toBe(201);
    }
    await server.call('POST', '/api/v1/collections', { name: 'faq' });
    await server.call('POST', '/api/v1/documents?wait_for_index_ms=10000', {
      collection: 'faq',
      title: 'How is oak cared for?',
      content: 'Oak is oiled once a year.',
    });
    // While the service runs.
    const made = await kindred(environment(source, 'source'), 'backup', '--to', whole, '--json');
    expect([made.code, made.error]).toEqual([0, '']);
    const { rows } = await source.query<{ acts: string }>(
      `SELECT string_agg(action || ' ' || phase, ', ' ORDER BY audit_id) AS acts FROM audit_entries`,
    );
    expect(rows[0]!.acts).toBe('backup begun, backup ended');
    // What the backup does not know: the index is newer than what it will restore.
    expect(
      (await server.call('POST', '/api/v1/projects?wait_for_index_ms=10000', { name: 'Later', description: 'only after the backup' }))
        .status,
    ).toBe(201);
  });
  afterAll(async () => {
    await server.end('SIGTERM');
    await Promise.all(databases.map((one) => one.close()));
    rmSync(folder, { recursive: true, force: true });
  });

  it('drills beside the running service, and says what it compared', async () => {
    const { code, out } = await kindred(environment(source, 'source'), 'doctor', 'restore-drill', '--from', whole);
    expect(code).toBe(0);
    expect(out).toMatch(/projects +30 +30 +equal/);
    expect(out).toContain('Passed');
  });

  it('refuses to restore while the service runs, by its data directory and by its database', async () => {
    const here = await kindred(environment(source, 'source'), 'restore', '--from', whole, '--force');
    expect([here.code, here.error]).toEqual([1, expect.stringContaining(`in use by process ${server.pid}`)]);
    const elsewhere = await kindred(environment(source, 'another'), 'restore', '--from', whole, '--force');
    expect([elsewhere.code, elsewhere.error]).toEqual([1, expect.stringContaining('The service uses this database')]);
  });

  it('leaves no backup behind when it is killed in the middle', async () => {
    for (const point of ['backup.table-written:4', 'backup.before-manifest']) {
      const to = join(folder, `killed-${point.split(':')[0]!}`);
      expect((await kindred({ ...environment(source, 'source'), KINDRED_CRASH_AT: point }, 'backup', '--to', to)).code).toBe('SIGKILL');
      expect(readdirSync(to).length).toBeGreaterThan(3);
      expect(existsSync(join(to, 'manifest.json'))).toBe(false);
      const refused = await kindred(environment(source, 'source'), 'doctor', 'restore-drill', '--from', to);
      expect([refused.code, refused.error]).toEqual([1, expect.stringContaining('holds no whole backup')]);
    }
  });

  it('leaves the database as it was when a restore is killed in the middle, and restores it afterwards', async () => {
    const target = await database();
    const there = environment(target, 'target');
    await target.query(`INSERT INTO projects (name, description) VALUES ('mine', 'stays')`);
    for (const point of ['backup.table-restored:6', 'backup.before-commit']) {
      const killed = await kindred({ ...there, KINDRED_CRASH_AT: point }, 'restore', '--from', whole, '--force');
      expect([killed.code, killed.error]).toEqual(['SIGKILL', expect.stringContaining('crash point')]);
      await waitFor(
        async () => (await target.query(`SELECT 1 FROM pg_stat_activity WHERE application_name = 'kindred-restore'`)).rowCount === 0,
        {
          what: 'the server has noticed the end of the command',
          timeoutMs: 15_000,
        },
      );
      expect((await target.query('SELECT name FROM projects')).rows).toEqual([{ name: 'mine' }]);
    }
    const restores = `SELECT phase, result FROM audit_entries WHERE action = 'restore' ORDER BY audit_id`;
    expect((await target.query(restores)).rows).toEqual([]);
    const { code, out } = await kindred(there, 'restore', '--from', whole, '--force', '--json');
    expect((await target.query(restores)).rows).toEqual([
      { phase: 'begun', result: null },
      { phase: 'ended', result: 'ok' },
    ]);
    const reply = JSON.parse(out) as RestoreReply;
    expect([code, reply.proof]).toEqual([0, 'proven']);
    expect(reply.certificates).toEqual([
      expect.objectContaining({ source: 'projects', decision: 'clean', rows: ROWS, points: ROWS }),
      expect.objectContaining({ source: 'documents', decision: 'clean', rows: 1, points: 1 }),
    ]);
  });

  it('goes back behind its own index: nothing newer is found, and new versions win', async () => {
    expect(await server.end('SIGTERM')).toBe(0);
    const back = await kindred(environment(source, 'source'), 'restore', '--from', whole, '--force', '--no-prove');
    expect([back.code, back.out]).toEqual([0, expect.stringContaining('The next start of the service')]);
    server = await ServerProcess.start(environment(source, 'source'));
    await waitFor(
      async () => (await source.query(`SELECT 1 FROM index_ledger WHERE state IN ('pending', 'tombstone') LIMIT 1`)).rowCount === 0,
      { what: 'the index is in step', timeoutMs: 60_000 },
    );
    const { body } = await server.call<{ id: string }>('POST', '/api/v1/admin/reconcile', { dry_run: true });
    const certificate = await waitFor(
      async () => {
        const reply = await server.call<{ decision: string; rows: number; points: number }>('GET', `/api/v1/admin/certificates/${body.id}`);
        return reply.body.decision === 'running' ? null : reply.body;
      },
      { what: 'the certificate', timeoutMs: 60_000 },
    );
    expect(certificate).toMatchObject({ decision: 'clean', rows: ROWS, points: ROWS });
    const found = await server.call<{ results: { project: { name: string } }[] }>('POST', '/api/v1/similarity/find-similar', {
      query: 'spiral staircase of oak',
      mode: 'vector',
      top_k: 1,
      threshold: -1,
    });
    expect(found.body.results[0]!.project.name).toBe('Job 1');
  });

  it('erases again what was erased after the backup, and proves it once more', async () => {
    const { body: list } = await server.call<{ items: { id: string; name: string }[] }>('GET', '/api/v1/projects?limit=100');
    const { id } = list.items.find(({ name }) => name === 'Job 2')!;
    const { body } = await server.call<{ erasure_id: string }>('DELETE', `/api/v1/projects/${id}?receipt=true`);
    const untilProven = async () => {
      const { code, out } = await kindred(environment(source, 'source'), 'erasures', body.erasure_id, '--wait', '--json');
      const receipt = JSON.parse(out) as { state: string; backups: { location: string }[] };
      expect([code, receipt.state]).toEqual([0, 'proven']);
      return receipt;
    };
    // Those that were killed as well: the register outlives a restore, and their files may be there.
    const locations = (await untilProven()).backups.map(({ location }) => location.split('/').at(-1));
    expect(locations.sort()).toEqual(['killed-backup.before-manifest', 'killed-backup.table-written', 'whole']);
    expect(await server.end('SIGTERM')).toBe(0);
    const { code, out } = await kindred(environment(source, 'source'), 'restore', '--from', whole, '--force', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ erased_again: 1, rows: expect.any(Number), proof: 'proven', erasure_log: { lines: 1 } });
    server = await ServerProcess.start(environment(source, 'source'));
    expect((await server.call('GET', `/api/v1/projects/${id}`)).status).toBe(404);
    await untilProven();
    expect((await source.query('SELECT 1 FROM projects')).rowCount).toBe(ROWS - 1);
    const dump = await kindred(environment(source, 'source'), 'doctor', 'restore-drill', '--from', whole);
    expect([dump.code, dump.out]).toEqual([0, expect.stringContaining('1 rows were erased again')]);
  });

  it('backs a database up that is older than the audit', async () => {
    const old = await database();
    const connection = await CopyConnection.open(old.url, 'kindred-test-old');
    await connection.replace((session) => session.migrateTo(migrationNames().slice(0, 8)));
    await connection.close();
    const { code, error } = await kindred(environment(old, 'old'), 'backup', '--to', join(folder, 'old-backup'));
    expect([code, error]).toEqual([0, '']);
  });

  it('shows no secret and no row in what it prints', async () => {
    const manifest = readFileSync(join(whole, 'manifest.json'), 'utf8');
    expect(manifest).not.toContain('staircase');
    expect(manifest).not.toContain(new URL(source.url).password || 'postgres://');
  });
});
