import { ImportRunStore, INGESTION_ENTITIES, type HeldRun } from '#ingestion';
import { createTestDatabase, type TestDatabase } from '#testing';
import { randomUUID } from 'node:crypto';

const FAILURE = { code: 'internal.error', detail: 'x' };
const PROGRESS = {
  counts: { lines: 1, accepted: 1, inserted: 1, updated: 0, unchanged: 0, rejected: 0 },
  problems: 0,
  checkpoint: { offset: 1, line: 2 },
  activeMs: 1,
};

describe('ImportRunStore', () => {
  let database: TestDatabase;
  let store: ImportRunStore;
  let jobId: string;

  beforeAll(async () => {
    database = await createTestDatabase({ entities: INGESTION_ENTITIES });
    store = new ImportRunStore(database.unitOfWork);
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    await database.query('TRUNCATE ingestion_jobs CASCADE');
    const { rows } = await database.query<{ id: string }>(
      `INSERT INTO ingestion_jobs (kind, format, state) VALUES ('projects', 'csv', 'queued') RETURNING id`,
    );
    jobId = rows[0]!.id;
    await database.query(`INSERT INTO ingestion_pieces VALUES ($1, 0, '\\x00')`, [jobId]);
  });

  const claim = async (): Promise<HeldRun> => {
    const token = randomUUID();
    expect(await store.claim(jobId, token, 60_000)).not.toBeNull();
    return { jobId, token };
  };
  const advance = async (held: HeldRun): Promise<void> => {
    await store.batch(held, (session) => store.advance(session, jobId, PROGRESS));
  };
  const row = async () =>
    (await database.query('SELECT state, attempts, error, finished_at IS NOT NULL AS is_over FROM ingestion_jobs')).rows[0];
  const pieces = async () => (await database.query('SELECT 1 FROM ingestion_pieces')).rowCount;

  it('gives a job up after five runs that have written nothing, and keeps its file', async () => {
    for (let n = 1; n < 5; n++) expect([n, await store.release(await claim(), true, FAILURE)]).toEqual([n, 'queued']);
    expect(await store.release(await claim(), true, FAILURE)).toBe('failed');
    expect(await row()).toEqual({ state: 'failed', attempts: 5, error: FAILURE, is_over: true });
    expect(await pieces()).toBe(1);
  });

  it('begins to count anew behind each batch that was written', async () => {
    for (let n = 1; n < 5; n++) await store.release(await claim(), true, FAILURE);
    const held = await claim();
    await advance(held);
    expect(await store.release(held, true, FAILURE)).toBe('queued');
    expect(await row()).toEqual({ state: 'queued', attempts: 0, error: null, is_over: false });
  });

  it('counts no attempt that was no fault of the job, and none less than none', async () => {
    for (let n = 0; n < 8; n++) expect(await store.release(await claim(), false, FAILURE)).toBe('queued');
    const held = await claim();
    await advance(held);
    await store.release(held, false, FAILURE);
    expect(await row()).toMatchObject({ state: 'queued', attempts: 0 });
  });

  it('cancels a job that is given back when somebody wants it cancelled, and removes its file', async () => {
    const held = await claim();
    expect(await store.renew(held, 60_000)).toBe(false);
    await database.query('UPDATE ingestion_jobs SET is_cancel_requested = true');
    expect(await store.renew(held, 60_000)).toBe(true);
    expect(await store.release(held, false, FAILURE)).toBe('cancelled');
    expect(await row()).toMatchObject({ state: 'cancelled', error: null, is_over: true });
    expect(await pieces()).toBe(0);
  });

  it('gives nothing back that another run has', async () => {
    await claim();
    expect(await store.release({ jobId, token: randomUUID() }, true, FAILURE)).toBeNull();
    expect(await row()).toMatchObject({ state: 'running' });
  });
});
