import { createTestDatabase, FakeJobQueue, type TestDatabase } from '#testing';
import { ImportRunStore, INGESTION_ENTITIES, JobSweep } from '#ingestion';

describe('JobSweep', () => {
  let database: TestDatabase;
  let queue: FakeJobQueue;
  let sweep: JobSweep;

  beforeAll(async () => {
    database = await createTestDatabase({ entities: INGESTION_ENTITIES });
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    await database.query('TRUNCATE ingestion_jobs CASCADE');
    queue = new FakeJobQueue();
    sweep = new JobSweep(database.unitOfWork, queue);
  });

  const insert = async (columns: string): Promise<string> =>
    (
      await database.query<{ id: string }>(
        `INSERT INTO ingestion_jobs (kind, format, state${columns.split('|')[0]}) VALUES ('projects', 'csv', ${columns.split('|')[1]}) RETURNING id`,
      )
    ).rows[0]!.id;
  const stateOf = async (id: string) =>
    (await database.query<{ state: string }>('SELECT state FROM ingestion_jobs WHERE id = $1', [id])).rows[0]?.state;

  it('gives an entry to each queued job, once, in the order in which they came', async () => {
    const ids = [await insert(`|'queued'`), await insert(`|'queued'`)];
    await insert(`|'uploading'`);
    await insert(`|'done'`);
    await sweep.run();
    await sweep.run();
    expect(queue.entries.map(({ jobId }) => jobId)).toEqual(ids);
  });

  it('tries again when the queue could not be reached', async () => {
    const ids = [await insert(`|'queued'`), await insert(`|'queued'`), await insert(`|'queued'`)];
    queue.fault = new Error('away');
    await expect(sweep.run()).rejects.toThrow('away');
    queue.fault = null;
    await sweep.run();
    expect(queue.entries.map(({ jobId }) => jobId)).toEqual(ids);
  });

  it('takes a job back whose process has died, and has its entry handed out again', async () => {
    const entry = '00000000-0000-4000-8000-000000000001';
    const dead = await insert(
      `, lease_token, lease_until, queue_id, enqueued_at|'running', gen_random_uuid(), now() - interval '1 second', '${entry}', now()`,
    );
    const alive = await insert(`, lease_token, lease_until|'running', gen_random_uuid(), now() + interval '1 minute'`);
    await sweep.run();
    expect([await stateOf(dead), await stateOf(alive), queue.revived, queue.entries]).toEqual(['queued', 'running', [entry], []]);
  });

  it('gives a job up that has taken its process along too often, and keeps its file', async () => {
    const held = (attempts: number) =>
      insert(`, attempts, lease_token, lease_until|'running', ${attempts}, gen_random_uuid(), now() - interval '1 second'`);
    const [again, enough] = [await held(4), await held(5)];
    await database.query(`INSERT INTO ingestion_pieces VALUES ($1, 0, '\\x00')`, [enough]);
    expect(await new ImportRunStore(database.unitOfWork).claim(enough, enough, 1_000)).toBeNull();
    await sweep.run();
    expect([await stateOf(again), await stateOf(enough)]).toEqual(['queued', 'failed']);
    const { rows } = await database.query(
      `SELECT error ->> 'code' AS code, lease_token, finished_at IS NOT NULL AS is_over FROM ingestion_jobs WHERE id = $1`,
      [enough],
    );
    expect(rows).toEqual([{ code: 'internal.error', lease_token: null, is_over: true }]);
    expect((await database.query('SELECT 1 FROM ingestion_pieces')).rowCount).toBe(1);
  });

  it('ends a job that somebody wants cancelled and whose process has died, and removes its file', async () => {
    const id = await insert(
      `, attempts, is_cancel_requested, lease_token, lease_until|'running', 5, true, gen_random_uuid(), now() - interval '1 second'`,
    );
    await database.query(`INSERT INTO ingestion_pieces VALUES ($1, 0, '\\x00')`, [id]);
    await sweep.run();
    const { rows } = await database.query('SELECT state, error, finished_at IS NOT NULL AS is_over FROM ingestion_jobs WHERE id = $1', [
      id,
    ]);
    expect(rows).toEqual([{ state: 'cancelled', error: null, is_over: true }]);
    expect((await database.query('SELECT 1 FROM ingestion_pieces')).rowCount).toBe(0);
  });

  it('makes a new entry for a job whose entry is gone', async () => {
    const id = await insert(`, queue_id, enqueued_at|'queued', gen_random_uuid(), now() - interval '2 minutes'`);
    const fresh = await insert(`, queue_id, enqueued_at|'queued', gen_random_uuid(), now()`);
    await sweep.run();
    await sweep.run();
    expect(queue.entries.map(({ jobId }) => jobId)).toEqual([id]);
    expect(await stateOf(fresh)).toBe('queued');
  });

  it('keeps an entry that waits behind others', async () => {
    const id = await insert(`|'queued'`);
    await sweep.run();
    await database.query(`UPDATE ingestion_jobs SET enqueued_at = now() - interval '2 minutes'`);
    await sweep.run();
    await sweep.run();
    expect(queue.entries.map(({ jobId }) => jobId)).toEqual([id]);
  });

  it('removes uploads that nobody goes on with, files of jobs that failed long ago, and jobs of last month', async () => {
    const stale = await insert(`, updated_at|'uploading', now() - interval '16 minutes'`);
    const going = await insert(`, updated_at|'uploading', now() - interval '14 minutes'`);
    const failed = await insert(`, finished_at|'failed', now() - interval '8 days'`);
    const recent = await insert(`, finished_at|'failed', now() - interval '6 days'`);
    const old = await insert(`, finished_at|'done', now() - interval '31 days'`);
    for (const id of [stale, going, failed, recent]) {
      await database.query(`INSERT INTO ingestion_pieces VALUES ($1, 0, '\\x00')`, [id]);
      await database.query(`INSERT INTO ingestion_external_ids VALUES ($1, 'a', 1)`, [id]);
    }
    await sweep.purge();
    const left = async (table: string) =>
      (await database.query<{ job_id: string }>(`SELECT job_id FROM ${table} ORDER BY 1`)).rows.map(({ job_id }) => job_id);
    expect(await left('ingestion_pieces')).toEqual([going, recent].sort());
    expect(await left('ingestion_external_ids')).toEqual([going, recent].sort());
    expect([await stateOf(stale), await stateOf(old), await stateOf(failed)]).toEqual([undefined, undefined, 'failed']);
  });
});
