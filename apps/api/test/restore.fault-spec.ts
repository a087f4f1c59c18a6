import {
  administer,
  createTestDatabase,
  faultSeed,
  faultTrials,
  recordFigure,
  recordTrials,
  RowWorkload,
  SeededRandom,
  waitFor,
  type ServerProcess,
  type TestDatabase,
} from '#testing';
import { FaultStage } from './fault-stage.js';

const RESTORES = faultTrials(1, 5);
const WRITES = 250;
const KEYS = 120;
const LANES = 4;
const CONVERGES_WITHIN_MS = 60_000;

/**
 * A dump is a copy of the whole database made by the server itself (CREATE DATABASE ... TEMPLATE), and a restore puts that copy in the place of the database: identity,
 * ledger, epochs and sequences included, as pg_dump and pg_restore would, whose programs are not part of the embedded server.
 */
describe(`T31: an older dump is restored under the running service, seed ${faultSeed}`, () => {
  const random = new SeededRandom(faultSeed);
  let database: TestDatabase;
  let name: string;
  let dump: string;
  let stage: FaultStage;
  let api: ServerProcess;

  beforeAll(async () => {
    database = await createTestDatabase();
    name = new URL(database.url).pathname.slice(1);
    dump = `${name}_dump`;
    stage = await FaultStage.set({ database, environment: { SCHEDULE_QUICK_CHECK: '* * * * * *' } });
    api = await stage.start('api');
  }, 120_000);
  afterAll(async () => {
    await administer(database.adminUrl, `DROP DATABASE IF EXISTS ${dump}`);
    await stage.strike();
  });

  /** Throws everybody out of the database, and keeps them out meanwhile. */
  async function alone(statements: readonly string[]): Promise<void> {
    await administer(database.adminUrl, `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    await administer(database.adminUrl, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`);
    for (const statement of statements) await administer(database.adminUrl, statement);
    await administer(database.adminUrl, `ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
    await waitFor(async () => (await stage.query('SELECT 1')).rowCount === 1, { what: 'the database is open again' });
  }

  const marks = async () =>
    (
      await stage.query<{ epoch: string; version: string }>(
        `SELECT g.epoch::text AS epoch, (SELECT max(version) FROM index_ledger)::text AS version FROM index_generations g WHERE g.source = 'projects' AND g.state = 'serving'`,
      )
    ).rows[0]!;
  const untilNextMark = (than: string) =>
    waitFor(async () => (await marks()).epoch !== than, { what: 'a quick check sets a new mark', timeoutMs: 20_000, intervalMs: 100 });

  it(
    `is noticed by itself, and nothing newer stays in the index, ${RESTORES} times`,
    async () => {
      let slowestMs = 0;
      for (let n = 0; n < RESTORES; n++) {
        const write = () => new RowWorkload(stage.query, random, { keys: KEYS, namespace: 31 }).writeTimes(WRITES, LANES);
        await write();
        await stage.untilInStep();
        await alone([`CREATE DATABASE ${dump} TEMPLATE ${name}`]);
        const dumped = await marks();
        // What the dump does not know: changed, new and deleted rows, and a later mark.
        await write();
        await stage.query(
          `INSERT INTO projects (name, description) SELECT 'Row', 'only after the dump ' || n FROM generate_series(1, 20) n`,
        );
        await stage.untilInStep();
        await untilNextMark(dumped.epoch);
        await alone([`DROP DATABASE ${name}`, `ALTER DATABASE ${dump} RENAME TO ${name}`]);
        const startedMs = performance.now();
        const restored = await marks();
        expect(restored).toEqual(dumped);
        // New writes have versions that the index has seen already, and refuses.
        await write();
        await untilNextMark(restored.epoch);
        await stage.untilInStep(CONVERGES_WITHIN_MS);
        slowestMs = Math.max(slowestMs, performance.now() - startedMs);
        const { rows } = await stage.query(`SELECT 1 FROM projects WHERE description LIKE 'only after the dump%'`);
        expect(rows).toEqual([]);
        // Of projects: the other source has no rows, and so no points.
        expect(api.output.filter((line) => /[1-9]\d* points had no entry/.test(line))).toHaveLength(n + 1);
        expect(api.outcome).toBeNull();
      }
      recordTrials({ test: 'T31', what: 'older dumps restored under the running service', count: RESTORES, seed: faultSeed });
      recordFigure({
        name: 'T31: from the restore until rows and index agree, slowest',
        value: Math.round(slowestMs) / 1_000,
        unit: 's',
        goal: `<= ${CONVERGES_WITHIN_MS / 1_000} s`,
        isMet: slowestMs <= CONVERGES_WITHIN_MS,
      });
    },
    60_000 + RESTORES * 180_000,
  );
});
