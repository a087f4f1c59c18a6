import { createTestDatabase, type TestDatabase } from '#testing';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runKindred } from './command-line.js';

const PREFIX = 'kindred_faults_';
jest.setTimeout(180_000);

describe('kindred doctor faults', () => {
  let database: TestDatabase;
  let dataDir: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataDir = mkdtempSync(join(tmpdir(), 'kindred-doctor-'));
    await database.query(`INSERT INTO projects (name, description) SELECT 'mine ' || n, 'stays' FROM generate_series(1, 20) n`);
  });
  afterAll(async () => {
    await database.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const tables = async (): Promise<string[]> => {
    const { rows } = await database.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
    );
    const texts = rows.map(({ name }) =>
      database.query<{ text: string }>(
        `SELECT '${name}' || coalesce(string_agg(t::text, ' ' ORDER BY t::text), '') AS text FROM ${name} t`,
      ),
    );
    return (await Promise.all(texts)).map(({ rows: [row] }) => row!.text);
  };
  const leftovers = async (): Promise<unknown[]> => [
    ...(await database.query(`SELECT datname FROM pg_database WHERE datname LIKE '${PREFIX}%'`)).rows,
    ...readdirSync(tmpdir()).filter((name) => name.startsWith(PREFIX)),
  ];

  it('breaks what it has made, says what held, and leaves the real database as it was and nothing behind', async () => {
    const before = await tables();
    const { code, out, error } = await runKindred(['doctor', 'faults', '--rounds', '1', '--seed', '3', '--json'], {
      DATABASE_URL: database.url,
      DATA_DIR: dataDir,
    });
    expect([code, code === 0 ? '' : error + out]).toEqual([0, '']);
    const report = JSON.parse(out);
    expect(report).toMatchObject({ has_held: true, seed: 3, rounds: 1, faults: { killed: 3 } });
    expect(report.writes).toBeGreaterThan(50);
    for (const { checked, violations } of Object.values<{ checked: number; violations: number }>(report.invariants))
      expect([checked > 0, violations]).toEqual([true, 0]);
    expect(await tables()).toEqual(before);
    expect(await leftovers()).toEqual([]);
  });
});
