import { CopyConnection, migrationNames } from '#database';
import { createTestDatabase, type TestDatabase } from '#testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runKindred, type Outcome } from './command-line.js';

/** Each call is a process of its own, which loads for a second when the machine is busy. */
jest.setTimeout(180_000);

const NAMES = migrationNames();
const AUDIT = NAMES.findIndex((name) => name.startsWith('Access'));

describe('kindred migration', () => {
  let database: TestDatabase;
  let dataDir: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataDir = mkdtempSync(join(tmpdir(), 'kindred-migration-'));
  });
  afterAll(async () => {
    await database.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const kindred = (...words: string[]): Promise<Outcome> =>
    runKindred(['migration', ...words], { DATA_DIR: dataDir, DATABASE_URL: database.url });
  const migrateTo = async (count: number): Promise<void> => {
    const connection = await CopyConnection.open(database.url, 'kindred-test-old');
    await connection.replace((session) => session.migrateTo(NAMES.slice(0, count)));
    await connection.close();
  };
  const acts = async () => {
    const { rows } = await database.query(`SELECT channel, action, phase, target, result FROM audit_entries ORDER BY audit_id`);
    return rows;
  };

  it('records the run that makes the audit after the fact, and every later act around it', async () => {
    await migrateTo(AUDIT);
    const run = await kindred('run', '--json');
    expect([run.code, JSON.parse(run.out)]).toEqual([0, { applied: NAMES.slice(AUDIT) }]);
    const newest = NAMES.at(-1)!;
    const ofRun = [
      { channel: 'cli', action: 'migration run', phase: 'begun', target: null, result: null },
      { channel: 'cli', action: 'migration run', phase: 'ended', target: newest, result: 'ok' },
    ];
    expect(await acts()).toEqual(ofRun);
    const revert = await kindred('revert', '--json');
    expect([revert.code, JSON.parse(revert.out)]).toEqual([0, { reverted: true, migration: newest }]);
    const action = 'migration revert';
    expect((await acts()).slice(2)).toEqual([
      { channel: 'cli', action, phase: 'begun', target: null, result: null },
      { channel: 'cli', action, phase: 'ended', target: newest, result: 'ok' },
    ]);
  });

  it('takes the audit along when that is what is undone, and says nothing of it', async () => {
    await migrateTo(AUDIT + 1);
    const { code, out, error } = await kindred('revert');
    expect([code, out, error]).toEqual([0, `Undone: ${NAMES[AUDIT]}. The next start of the service applies it again.\n`, '']);
    await expect(acts()).rejects.toThrow('audit_entries');
  });
});
