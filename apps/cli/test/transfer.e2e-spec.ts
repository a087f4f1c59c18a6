import { createTestDatabase, ServerProcess, type TestDatabase } from '#testing';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runKindred, type Outcome } from './command-line.js';

/** Each call is a process of its own, which loads for a second when the machine is busy. */
jest.setTimeout(180_000);

describe('the command line imports and exports', () => {
  let database: TestDatabase;
  let folder: string;
  let server: ServerProcess;

  beforeAll(async () => {
    database = await createTestDatabase();
    folder = mkdtempSync(join(tmpdir(), 'kindred-transfer-'));
    server = await ServerProcess.start({ DATABASE_URL: database.url, DATA_DIR: join(folder, 'data'), EMBEDDING_WORKERS: '1' });
    expect((await server.call('POST', '/api/v1/collections', { name: 'faq' })).status).toBe(201);
  });
  afterAll(async () => {
    if (server !== undefined) expect(await server.end('SIGTERM')).toBe(0);
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const kindred = (words: readonly string[], input = ''): Promise<Outcome> => runKindred(words, { DATA_DIR: join(folder, 'data') }, input);
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
  });

  it('lists what was imported, and shows one with what it refused', async () => {
    const path = file('refused.csv', 'name,description,complexity\nGate,Larch gate,2\nDoor,Oak door,9\nWall,Brick wall,8\n');
    expect((await kindred(['import', path])).code).toBe(1);
    const list = await kindred(['jobs', 'list', '--limit', '1']);
    const [, id] = /^([0-9a-f-]{36}) +projects +done +3 +2 .* refused\.csv$/m.exec(list.out) ?? [list.out];
    const shown = await kindred(['jobs', 'show', id!, '--problems', '1']);
    expect([shown.code, shown.out]).toEqual([0, expect.stringContaining('rows: 3; 1 new, 0 changed, 0 unchanged, 2 rejected')]);
    expect(shown.out).toContain('refused.csv:3: /complexity must be at most 5 (too-large)\n… and 1 more');
    expect((await kindred(['jobs', 'show', '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11'])).error).toContain('(jobs.not-found)');
    // Nobody counts on this row.
    await database.query(`DELETE FROM projects WHERE name = 'Gate' AND external_id IS NULL`);
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
    [['import'], 2, 'which file'],
    [['import', 'a.csv', '--resume', 'x'], 2, 'not both'],
    // The options belong to the subcommand, though the command before it has some of the same name.
    [['import', 'pgvector', '--dry-run', '--resume', '--collection', 'faq'], 2, '--from'],
    [['import', 'nothing.csv'], 2, 'cannot be read'],
    [['import', 'a.xlsx'], 2, '--format'],
    [['import', '-', '--format', 'xml'], 2, '--format'],
    [['import', '-', '--format', 'csv', '--kind', 'x'], 2, 'projects or documents'],
    [['import', '-', '--format', 'csv'], 1, 'The file must not be empty'],
    [['import', '/dev/null', '--format', 'csv'], 1, 'The file must not be empty'],
    [['import', '--resume', '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11'], 1, 'jobs.not-found'],
    [['export', 'x'], 2, 'projects or documents'],
    [['export', 'projects', '--collection', 'faq'], 2, 'for documents'],
  ])('%j ends with %i', async (words, code, text) => {
    expect(await kindred(words)).toMatchObject({ code, error: expect.stringContaining(text) });
  });
});
