import { during, faultSeed, faultTrials, recordTrials, RowWorkload, SeededRandom, workloadId, type ServerProcess } from '#testing';
import { setTimeout as delay } from 'node:timers/promises';
import { FaultStage } from './fault-stage.js';

const TERMINATIONS = faultTrials(25, 600);
const TERMINATION_PAUSE_MS = 60;
const LATE_PAIRS = faultTrials(25, 500);
const LATE_MAX_MS = 150;
const OPPOSING_WRITES = faultTrials(40, 200);
const AWAY_MS = 3_000;

describe(`a bad database under real processes, seed ${faultSeed}`, () => {
  const random = new SeededRandom(faultSeed);
  let stage: FaultStage;
  let worker: ServerProcess;

  beforeAll(async () => {
    stage = await FaultStage.set();
    worker = await stage.start('worker');
  }, 120_000);
  afterEach(() => expect(worker.outcome).toBeNull());
  afterAll(() => stage.strike());

  it(`T10: a random backend is terminated, ${TERMINATIONS} times`, async () => {
    const client = await stage.connectClient();
    const workload = new RowWorkload(client.query, random, { keys: 80, namespace: 10 });
    let count = 0;
    await during([(signal) => workload.run(signal, { lanes: 3, pauseMs: 10 })], async () => {
      while (count < TERMINATIONS) {
        const { rows } = await stage.query<{ pid: number }>(
          `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name NOT LIKE 'kindred-test%'`,
        );
        if (rows.length > 0 && (await terminate(random.pick(rows).pid))) count++;
        await delay(TERMINATION_PAUSE_MS * 2 * random.next());
      }
    });
    await stage.untilInStep();
    expect(await workload.differences(stage.query)).toEqual([]);
    await client.close();
    recordTrials({ test: 'T10', what: 'backends terminated (of relay and clients)', count, seed: faultSeed });
    recordTrials({ test: 'T10', what: '  writes whose answer was lost', count: workload.outcomes.unknown });
  }, 900_000);

  async function terminate(pid: number): Promise<boolean> {
    const { rows } = await stage.query<{ done: boolean }>('SELECT pg_terminate_backend($1) AS done', [pid]);
    return rows[0]!.done;
  }

  it('a relay outlives a database that is away', async () => {
    await stage.databaseProxy.setMode({ kind: 'refuse' });
    await stage.query(`INSERT INTO projects (id, name, description) VALUES ($1, 'Row', 'written while the relay was alone')`, [
      workloadId(11, 1),
    ]);
    // No condition to wait for: that nothing happens is what is tested.
    await delay(AWAY_MS);
    await stage.databaseProxy.setMode({ kind: 'pass' });
    await stage.untilInStep();
  }, 60_000);

  it(`T15: what commits later with an earlier version is not skipped, ${LATE_PAIRS} pairs`, async () => {
    const text = `INSERT INTO projects (id, name, description) VALUES ($1, 'Row', $2)`;
    for (let pair = 0; pair < LATE_PAIRS; pair++) {
      const runner = stage.database.dataSource.createQueryRunner();
      await runner.query('BEGIN');
      await runner.query(text, [workloadId(15, 2 * pair), `earlier ${pair}`]);
      await stage.query(text, [workloadId(15, 2 * pair + 1), `later ${pair}`]);
      // The relay meets the second one meanwhile, or does not.
      await delay(LATE_MAX_MS * random.next());
      await runner.query('COMMIT');
      await runner.release();
    }
    await stage.untilInStep();
    const { rows } = await stage.query<{ synced: number }>(
      `SELECT count(*)::integer AS synced FROM index_ledger WHERE state = 'synced' AND source_id::text LIKE $1`,
      [`${workloadId(15, 0).slice(0, 13)}%`],
    );
    expect(rows[0]!.synced).toBe(2 * LATE_PAIRS);
    recordTrials({ test: 'T15', what: 'pairs of transactions that commit in the other order', count: LATE_PAIRS, seed: faultSeed });
  }, 600_000);

  it(`T19: writers that lock in opposite order, serialization failures and statement timeouts, ${OPPOSING_WRITES} transactions`, async () => {
    const ids = [1, 2, 3].map((n) => workloadId(19, n));
    for (const id of ids) await stage.query(`INSERT INTO projects (id, name, description) VALUES ($1, 'Row', 'begin')`, [id]);
    const failures = new Map<string, number>();
    /** What each row was last told to hold by a transaction that was told it had committed. */
    const committed: string[][] = [];
    const lane = async (lane: number): Promise<void> => {
      for (let n = 0; n < OPPOSING_WRITES / 4; n++) {
        const order = random.chance(0.5) ? ids : [...ids].reverse();
        const mark = `lane ${lane} write ${n}`;
        try {
          await stage.database.unitOfWork.run(
            async (session) => {
              await session.query(`SET LOCAL statement_timeout = ${random.chance(0.2) ? 50 : 5_000}`);
              for (const id of order) await session.query('UPDATE projects SET description = $2 WHERE id = $1', [id, mark]);
            },
            { isolation: random.chance(0.5) ? 'REPEATABLE READ' : 'READ COMMITTED' },
          );
          committed.push([mark]);
        } catch (error) {
          const code = String((error as { cause?: { code?: string } }).cause?.code);
          failures.set(code, (failures.get(code) ?? 0) + 1);
        }
      }
    };
    await Promise.all([0, 1, 2, 3].map(lane));
    await stage.untilInStep();
    const { rows } = await stage.query<{ description: string }>('SELECT DISTINCT description FROM projects WHERE id = ANY($1)', [ids]);
    // Each transaction changes all three: whoever came last has left one text in all of them.
    expect(rows).toHaveLength(1);
    expect(committed.flat()).toContain(rows[0]!.description);
    for (const [code, count] of failures) recordTrials({ test: 'T19', what: `  SQLSTATE ${code}`, count });
    recordTrials({ test: 'T19', what: 'transactions in opposite order', count: OPPOSING_WRITES, seed: faultSeed });
    // The relay is never the victim: it locks only what nobody holds.
    expect([...failures.keys()].every((code) => ['40001', '40P01', '57014'].includes(code))).toBe(true);
    expect(worker.output.filter((line) => line.includes('deadlock'))).toEqual([]);
  }, 300_000);
});
