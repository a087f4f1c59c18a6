import type { CrashPoint } from '#kernel';
import { faultSeed, faultTrials, recordTrials, RowWorkload, SeededRandom, waitFor } from '#testing';
import { FaultStage } from './fault-stage.js';

const ROWS = 60;
const LOST = 5;
const ROUNDS = faultTrials(1, 6);
const TIMEOUT_MS = 60_000;

/** Every step of a repair. Those of a restored side, and of its marks, are tested in `libs/sync` without a process of their own. */
const POINTS: readonly CrashPoint[] = ['reconciler.before-repair', 'reconciler.after-repair'];

describe(`T3: kill -9 at each step of a check that heals, seed ${faultSeed}`, () => {
  const random = new SeededRandom(faultSeed);
  let stage: FaultStage;
  let workload: RowWorkload;
  let collection: string;
  let crashes = 0;

  beforeAll(async () => {
    stage = await FaultStage.set({ environment: { SCHEDULE_QUICK_CHECK: '* * * * * *' } });
    workload = new RowWorkload(stage.query, random, { keys: ROWS, namespace: 3 });
    const api = await stage.start('api');
    await workload.writeTimes(2 * ROWS);
    await stage.untilInStep();
    ({ collection } = await stage.checker.generation());
    await api.end('SIGKILL');
  }, 120_000);
  afterAll(async () => {
    recordTrials({ test: 'T3', what: 'kill -9 of itself in a check that heals', count: crashes, seed: faultSeed });
    await stage.strike();
  });

  /** Behind the engine's back. */
  async function losePoints(): Promise<void> {
    const { rows } = await stage.query<{ id: string }>('SELECT id FROM projects ORDER BY id LIMIT $1', [LOST]);
    await stage.store.delete(
      collection,
      rows.map(({ id }) => ({ id, rev: Number.MAX_SAFE_INTEGER })),
    );
  }

  /** A minute later: what the dead process held is free. */
  async function endLeases(): Promise<void> {
    await stage.query('UPDATE sync_leases SET lease_until = now()');
    await stage.query(`UPDATE sync_schedule_runs SET lease_until = now() WHERE outcome = 'running'`);
  }

  const isPaused = async (): Promise<boolean> =>
    (await stage.query('SELECT 1 FROM index_generations WHERE paused_at IS NOT NULL')).rowCount > 0;
  const epoch = async () =>
    (await stage.query<{ epoch: string }>(`SELECT epoch::text AS epoch FROM index_generations WHERE state = 'serving'`)).rows[0]!.epoch;

  it.each(POINTS)(
    '%s',
    async (point) => {
      for (let round = 0; round < ROUNDS; round++) {
        await losePoints();
        const dying = stage.launch('api', { KINDRED_CRASH_AT: `${point}:1` });
        expect(await dying.ended).toBe('SIGKILL');
        crashes++;
        await endLeases();
        // Writers do not wait for it.
        await workload.writeTimes(ROWS);
        const before = await epoch();
        const healing = await stage.start('api');
        await stage.untilInStep(TIMEOUT_MS);
        await waitFor(async () => !(await isPaused()) && (await epoch()) !== before, {
          what: 'a check ends well and sets a new mark',
          timeoutMs: TIMEOUT_MS,
          intervalMs: 100,
        });
        expect(await workload.differences(stage.query)).toEqual([]);
        await stage.untilInStep(TIMEOUT_MS);
        await healing.end('SIGKILL');
      }
    },
    30_000 + ROUNDS * 2 * TIMEOUT_MS,
  );
});
