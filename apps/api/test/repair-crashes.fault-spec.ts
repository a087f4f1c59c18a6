import type { CrashPoint } from '#kernel';
import { faultSeed, faultTrials, recordTrials, RowWorkload, SeededRandom, waitFor, type ServerProcess } from '#testing';
import { FaultStage } from './fault-stage.js';

const ROWS = 60;
const LOST = 5;
const ROUNDS = faultTrials(1, 2);
/** A rev that the database has never given out. */
const REV_OF_ANOTHER_DATABASE = 5_000_000;
const TIMEOUT_MS = 60_000;

type Damage = 'nothing' | 'points lost' | 'database restored';

/** Every step of a check that writes, and what brings the check there; the short form takes the first two. */
const POINTS: readonly (readonly [CrashPoint, Damage])[] = [
  ['reconciler.before-repair', 'points lost'],
  ['restore.sequence-raised', 'database restored'],
  ['reconciler.after-repair', 'points lost'],
  ['restore.paused', 'database restored'],
  ['restore.marked', 'database restored'],
  ['epoch.advanced', 'nothing'],
];
const POINTS_TAKEN = faultTrials(2, POINTS.length);

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

  async function rowIds(): Promise<string[]> {
    return (await stage.query<{ id: string }>('SELECT id FROM projects ORDER BY id')).rows.map(({ id }) => id);
  }

  async function damage(kind: Damage): Promise<void> {
    if (kind === 'nothing') return;
    const victims = (await rowIds()).slice(0, LOST);
    const points = await stage.store.retrieve(collection, victims, { hasVectors: true });
    await stage.store.delete(
      collection,
      points.map(({ id }) => ({ id, rev: Number.MAX_SAFE_INTEGER })),
    );
    if (kind === 'points lost') return;
    // What a database that was restored finds: points that are newer than anything that it knows of.
    await stage.store.upsert(
      collection,
      points.map(({ id, vector, payload }) => ({ id, vector: vector!, payload: { ...payload, rev: REV_OF_ANOTHER_DATABASE } })),
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

  it.each(POINTS.slice(0, POINTS_TAKEN))(
    '%s, after: %s',
    async (point, kind) => {
      for (let round = 0; round < ROUNDS; round++) {
        await damage(kind);
        const dying = stage.launch('api', { KINDRED_CRASH_AT: `${point}:1` });
        expect(await dying.ended).toBe('SIGKILL');
        crashes++;
        await endLeases();
        // Writers do not wait for it.
        await workload.writeTimes(ROWS);
        const before = await epoch();
        const healing: ServerProcess = await stage.start('api');
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
