import { createTestDatabase, NO_SCHEDULES, ServerProcess, type TestDatabase } from '#testing';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runKindred, type Outcome } from './command-line.js';

const ROWS = 6;
/** Each call is a process of its own, which loads for a second when the machine is busy. */
jest.setTimeout(180_000);

describe('the command line searches, and looks after the index', () => {
  let database: TestDatabase;
  let folder: string;
  let server: ServerProcess;

  beforeAll(async () => {
    database = await createTestDatabase();
    folder = mkdtempSync(join(tmpdir(), 'kindred-index-'));
    server = await ServerProcess.start({
      DATABASE_URL: database.url,
      DATA_DIR: join(folder, 'data'),
      EMBEDDING_WORKERS: '1',
      ...NO_SCHEDULES,
    });
    for (let row = 1; row <= ROWS; row++) {
      const description = row === 1 ? 'a spiral staircase made of oak' : `a plain wall cupboard number ${row}`;
      const body = { name: `Job ${row}`, description, region: row % 2 === 0 ? 'Bavaria' : 'Tyrol', final_price: row * 1_000 };
      expect((await server.call('POST', '/api/v1/projects?wait_for_index_ms=10000', body)).status).toBe(201);
    }
  });
  afterAll(async () => {
    if (server !== undefined) expect(await server.end('SIGTERM')).toBe(0);
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const kindred = (...words: string[]): Promise<Outcome> => runKindred(words, { DATA_DIR: join(folder, 'data') });
  const json = async <T>(...words: string[]): Promise<T> => {
    const { code, out, error } = await kindred(...words, '--json');
    expect([code, error]).toEqual([0, expect.any(String)]);
    return JSON.parse(out) as T;
  };

  it('finds projects with their prices, and passages of documents', async () => {
    const found = await kindred('search', 'spiral staircase', '--top-k', '1', '--mode', 'vector', '--threshold', '-1');
    expect([found.code, found.out]).toEqual([0, expect.stringMatching(/Job 1 .*Tyrol +1000\.00 EUR\n\n.* answered by the local index/)]);
    const words = ['search', 'cupboard', '--threshold', '-1', '--top-k', '9', '--filter', 'region=Bavaria', '--filter', 'final_price>2000'];
    const filtered = await json<{ results: { project: { name: string } }[] }>(...words);
    expect(filtered.results.map(({ project }) => project.name).sort()).toEqual(['Job 4', 'Job 6']);
    await server.call('POST', '/api/v1/collections', { name: 'faq' });
    const document = { collection: 'faq', title: 'Grey fences', content: 'Larch turns grey in the sun. It is not rotting.' };
    expect((await server.call('POST', '/api/v1/documents?wait_for_index_ms=10000', document)).status).toBe(201);
    const passages = await kindred('search', 'why is my fence grey', '--documents', '--collection', 'faq');
    expect([passages.code, passages.out]).toEqual([0, expect.stringContaining('Grey fences')]);
    expect((await kindred('search', 'x', '--filter', 'colour=red')).error).toContain('(request.invalid)');
  });

  it('checks the index, shows it, and makes sure that it is there', async () => {
    const check = await kindred('index', 'check');
    expect([check.code, check.out]).toEqual([
      0,
      expect.stringMatching(/answers: healthy.*\n\n(.*\n)+projects +kindred_projects_g1\S+ +6 +384 +Cosine/),
    ]);
    expect(await json('index', 'check')).toMatchObject({ store_type: 'local', round_trip_ms: expect.any(Number) });
    const stats = await json<{ generations: object[] }>('index', 'stats');
    expect(stats.generations).toContainEqual(
      expect.objectContaining({ id: 1, source: 'projects', state: 'serving', points: ROWS, dimensions: 384, distance_metric: 'Cosine' }),
    );
    expect((await kindred('index', 'stats')).out).toMatch(/projects +serving +6 +6 +0 +0 +384 +Cosine/);
    expect(await json('index', 'init')).toMatchObject({ initialized: true });
  });

  it('measures the searches, and a plain scan beside them', async () => {
    const report = await json<{ cases: { name: string; count: number; p50_ms: number }[]; points: number }>(
      'bench',
      '--iterations',
      '3',
      '--warm-up',
      '0',
    );
    expect(report).toMatchObject({
      iterations: 3,
      points: ROWS,
      dimensions: 384,
      scan: { name: 'plain scan' },
      speed_up: expect.any(Number),
    });
    expect(report.cases.map(({ count, p50_ms }) => [count, p50_ms > 0])).toEqual(report.cases.map(() => [3, true]));
  });

  it('validates: 0 when all agree, 1 when something differs, and repairs nothing', async () => {
    expect(await json('index', 'validate')).toMatchObject({ valid: true, certificates: [{ decision: 'clean' }, { decision: 'clean' }] });
    const { rows } = await database.query<{ source_id: string }>(
      `UPDATE index_ledger SET indexed_version = indexed_version + 1, version = version + 1 WHERE generation_id = 1 AND source_id =
       (SELECT source_id FROM index_ledger WHERE generation_id = 1 ORDER BY source_id LIMIT 1) RETURNING source_id`,
    );
    const differs = await kindred('index', 'validate', '--source', 'projects');
    expect([differs.code, differs.out]).toEqual([1, expect.stringContaining(`stale: 1 (${rows[0]!.source_id})`)]);
    expect((await kindred('reconcile', '--wait')).code).toBe(0);
    expect((await kindred('sync')).out).toContain('Failed: 0');
    expect((await kindred('index', 'validate', '--source', 'projects')).code).toBe(0);
  });

  it('syncs: says what it would do, and writes every row again when it is forced', async () => {
    expect((await kindred('sync')).out).toMatch(/^Total: 0\nSuccessfully migrated: 0\nFailed: 0\nTotal time: .*\nAverage: -/);
    expect(await json('sync', '--stats-only')).toMatchObject({ generations: [{ entries: { synced: ROWS } }, {}] });
    const plan = await json<{ would_touch: number; pending: number }>('sync', '--force', '--dry-run');
    expect(plan).toMatchObject({ dry_run: true, pending: 0, would_touch: ROWS + 1 });
    const revs = async () => (await database.query(`SELECT source_id, indexed_version FROM index_ledger ORDER BY 1`)).rows;
    const before = await revs();
    const forced = await kindred('sync', '--force', '--batch-size', '4');
    expect([forced.code, forced.out]).toEqual([
      0,
      expect.stringMatching(/^Total: 7\nSuccessfully migrated: 7\nFailed: 0\nTotal time: [\d.]+ s\nAverage: [\d.]+ ms per row$/m),
    ]);
    const after = await revs();
    expect(after.length).toBe(before.length);
    expect(after.filter((row, index) => JSON.stringify(row) === JSON.stringify(before[index]))).toEqual([]);
  });

  it('rebuilds beside the index that serves, proves it, and lets it serve', async () => {
    const { id, state } = await json<{ id: number; state: string }>('index', 'rebuild', '--wait', '--reason', 'a test');
    expect([id, state]).toEqual([3, 'serving']);
    expect((await kindred('generations', 'rollback')).code).toBe(0);
  });

  it('migrates: proves that every row is in the configured store, and refuses the store of another database', async () => {
    const other = join(folder, 'other', 'index');
    mkdirSync(other, { recursive: true });
    expect((await kindred('index', 'migrate', '--from', join(folder, 'other'))).code).toBe(2);
    writeFileSync(join(other, 'kindred_projects_g1_000000.snapshot'), '');
    const refused = await kindred('index', 'migrate', '--from', join(folder, 'other'));
    expect([refused.code, refused.error]).toEqual([1, expect.stringContaining('holds no index of this database')]);
    const { collection } = (await json<{ items: { id: number; collection: string }[] }>('generations', 'list')).items[0]!;
    writeFileSync(join(other, `${collection}.snapshot`), '');
    const migrated = await kindred('index', 'migrate', '--from', join(folder, 'other'));
    expect([migrated.code, migrated.out]).toEqual([
      0,
      expect.stringMatching(/generation 1 of projects, of this database(.*\n)+Total: 7\nSuccessfully migrated: 7\nFailed: 0\n/),
    ]);
  });
});
