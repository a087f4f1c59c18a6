import { faultSeed, faultTrials, recordDuration, recordTrials, RowWorkload, SeededRandom, waitFor, type ServerProcess } from '#testing';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FaultStage } from './fault-stage.js';
import { OwnDatabase } from './own-database.js';

const TRIALS = faultTrials(1, 5);
const DISK_MB = 224;
const RECOVERS_WITHIN_MS = 60_000;
/** Too large for the room that is left in pages; random, so that it cannot be compressed. */
const TEXT_BYTES = 4_000;
const REFUSALS = 5;
/** SQLSTATE disk_full: said by a server that stands. */
const DISK_FULL = '53100';
const SETTINGS = { max_wal_size: '48MB', min_wal_size: '32MB', shared_buffers: '16MB' };

/** A file system of a few megabytes, or `null` when this user may not mount one. */
function mountSmallDisk(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'kindred-disk-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', folder], { stdio: 'ignore' });
  if (status === 0) return folder;
  rmSync(folder, { recursive: true, force: true });
  return null;
}

function unmount(folder: string): void {
  spawnSync('umount', ['--lazy', folder], { stdio: 'ignore' });
  rmSync(folder, { recursive: true, force: true });
}

describe(`T13: the disk is full, seed ${faultSeed}`, () => {
  const random = new SeededRandom(faultSeed);
  const disk = mountSmallDisk();
  let stage: FaultStage;
  let api: ServerProcess;
  let number = 0;

  beforeAll(async () => {
    const database = disk === null ? undefined : await OwnDatabase.start(join(disk, 'data'), SETTINGS);
    // Whatever blames entries for a full disk loses them at once.
    stage = await FaultStage.set({ environment: { SYNC_MAX_ATTEMPTS: '1' }, ...(database === undefined ? {} : { database }) });
    api = await stage.start('api');
  }, 120_000);
  afterAll(async () => {
    await stage.strike();
    if (disk !== null) unmount(disk);
  });

  const ballast = () => join(disk!, 'ballast');
  /** Leaves not a byte. */
  function fill(): void {
    const { bavail, bsize } = statfsSync(disk!);
    try {
      appendFileSync(ballast(), Buffer.alloc(bavail * bsize));
    } catch {
      // Somebody else has taken the last pages meanwhile: it is as full as it gets.
    }
  }
  const free = () => rmSync(ballast(), { force: true });

  const create = () =>
    api.call<{ id?: string }>('POST', '/api/v1/projects', {
      name: 'Row',
      description: `${++number} ${randomBytes(TEXT_BYTES / 2).toString('hex')}`,
    });

  async function deadEntries(): Promise<number> {
    const { rows } = await stage.query<{ count: number }>(`SELECT count(*)::integer AS count FROM index_ledger WHERE state = 'dead'`);
    return rows[0]!.count;
  }

  /** Heals, and waits until everybody has recovered; what was acknowledged must be there. Returns the milliseconds it took. */
  async function recovers(created: readonly string[]): Promise<number> {
    const startedMs = performance.now();
    await waitFor(async () => (await create()).status === 201, {
      what: 'writes are taken again',
      timeoutMs: RECOVERS_WITHIN_MS,
      intervalMs: 100,
    });
    await stage.untilInStep(RECOVERS_WITHIN_MS);
    const tookMs = performance.now() - startedMs;
    const { rows } = await stage.query<{ id: string }>('SELECT id FROM projects WHERE id = ANY($1)', [created]);
    expect(rows).toHaveLength(created.length);
    expect(await deadEntries()).toBe(0);
    expect(api.outcome).toBeNull();
    expect(tookMs).toBeLessThan(RECOVERS_WITHIN_MS);
    return tookMs;
  }

  function record(what: string, slowestMs: number): void {
    recordTrials({ test: 'T13', what, count: TRIALS, seed: faultSeed });
    recordDuration(`T13: ${what}: from room again until rows and index agree, slowest`, slowestMs, RECOVERS_WITHIN_MS);
  }

  /** Writes until some were refused; resolves with what was taken. Whatever the disk does, an answer says that it is worth another try. */
  async function writeUntilRefused(): Promise<string[]> {
    const created: string[] = [];
    const statuses: number[] = [];
    await waitFor(
      async () => {
        const { status, body } = await create();
        statuses.push(status);
        if (status === 201) created.push(body.id!);
        return statuses.filter((other) => other !== 201).length >= REFUSALS;
      },
      { what: 'writes are refused', timeoutMs: 30_000 },
    );
    expect(statuses.filter((status) => status !== 201 && status !== 503)).toEqual([]);
    return created;
  }

  async function trials(what: string, beFull: () => Promise<void>, isReadable: boolean): Promise<void> {
    if (disk === null) {
      process.stderr.write(`  T13 ${what}: NOT RUN, this user may not mount a tmpfs\n`);
      recordTrials({ test: 'T13', what, count: 0 });
      return;
    }
    let slowestMs = 0;
    for (let trial = 0; trial < TRIALS; trial++) {
      try {
        await beFull();
        const created = await writeUntilRefused();
        const read = await api.call('GET', '/api/v1/projects?limit=5');
        expect(isReadable ? [200] : [200, 503]).toContain(read.status);
        expect((await api.call('GET', '/health/live')).status).toBe(200);
        free();
        slowestMs = Math.max(slowestMs, await recovers(created));
      } finally {
        free();
      }
    }
    record(what, slowestMs);
  }

  it(
    `of PostgreSQL, for its data: writes get 503, reads are answered, ${TRIALS} times`,
    () =>
      trials(
        'disks full of data',
        async () => {
          // A segment of the log with room in it, so that it is the data that has none.
          await stage.query('CHECKPOINT');
          await stage.query('SELECT pg_switch_wal()');
          await create();
          fill();
        },
        true,
      ),
    60_000 + TRIALS * 150_000,
  );

  it(
    `of PostgreSQL, for its log: the server falls, and comes back with everything that was acknowledged, ${TRIALS} times`,
    () =>
      trials(
        'disks without room for the log',
        async () => {
          fill();
          // Each takes a new segment; the server gives up when there is none.
          await waitFor(
            async () => {
              fill();
              try {
                await stage.query('SELECT pg_switch_wal()');
                await stage.query('SELECT pg_logical_emit_message(false, $1, $2)', ['fill', 'x']);
                return false;
              } catch (error) {
                return (error as { cause?: { code?: string } }).cause?.code !== DISK_FULL;
              }
            },
            { what: 'the server has no segment for its log, and falls', timeoutMs: 20_000 },
          );
        },
        false,
      ),
    60_000 + TRIALS * 150_000,
  );

  const ANSWERS: readonly (readonly [number, string])[] = [
    [507, 'Disk usage exceeds the limit'],
    [500, 'Service internal error: No space left on device (os error 28)'],
  ];
  it.each(ANSWERS)(
    'of the index, which answers %d %s: writes are taken and wait, reads and searches are answered',
    async (status, message) => {
      if (stage.double === null) {
        process.stderr.write('  T13 indexes without room: NOT RUN, a real server is not filled\n');
        recordTrials({ test: 'T13', what: 'indexes without room', count: 0 });
        return;
      }
      let slowestMs = 0;
      for (let trial = 0; trial < TRIALS; trial++) {
        const workload = new RowWorkload(stage.query, random, { keys: 60, namespace: status + trial });
        await workload.writeTimes(60);
        await stage.untilInStep();
        stage.double.inject({ kind: 'status', status, message }, { on: /^PUT .*\/points/, times: Number.MAX_SAFE_INTEGER });
        await workload.writeTimes(120);
        const { status: created, body } = await create();
        expect(created).toBe(201);
        await waitFor(
          async () => (await stage.query(`SELECT 1 FROM index_ledger WHERE last_error IS NOT NULL AND state = 'pending'`)).rowCount! > 0,
          { what: 'the relay has met the full index' },
        );
        const search = await api.call<{ degraded: boolean }>('POST', '/api/v1/similarity/find-similar', {
          query: 'oak stair',
          mode: 'vector',
          threshold: -1,
        });
        expect([search.status, search.body.degraded]).toEqual([200, false]);
        expect((await api.call('GET', `/api/v1/projects/${body.id}`)).status).toBe(200);
        stage.double.clearFaults();
        slowestMs = Math.max(slowestMs, await recovers([body.id!]));
        expect(await workload.differences(stage.query)).toEqual([]);
      }
      record(`indexes without room (${status})`, slowestMs);
    },
    60_000 + TRIALS * 90_000,
  );
});
