import { SystemClock } from '#kernel';
import { createTestDatabase, waitFor, type TestDatabase } from '#testing';
import { randomUUID } from 'node:crypto';
import { PgBossJobQueue } from '../src/queue/pg-boss-job-queue.js';

describe('PgBossJobQueue', () => {
  let database: TestDatabase;
  const queues: PgBossJobQueue[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    await Promise.all(queues.map((queue) => queue.stop()));
    queues.length = 0;
  });
  afterAll(() => database.close());

  function open(): PgBossJobQueue {
    const queue = new PgBossJobQueue(database.unitOfWork, new SystemClock());
    queues.push(queue);
    return queue;
  }

  it('installs itself in a schema of its own, also when several processes start at once', async () => {
    await Promise.all(Array.from({ length: 3 }, () => open().start(async () => undefined)));
    const { rows } = await database.query(
      `SELECT DISTINCT table_schema AS name FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
    );
    expect(rows).toEqual([{ name: 'pgboss' }, { name: 'public' }]);
    // A connection that was left inside of a transaction would show here.
    const { rows: stuck } = await database.query(
      `SELECT state FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
    );
    expect(stuck).toEqual([]);
  });

  it('hands a job to one process at once, and an entry that is there already to nobody', async () => {
    const seen: string[] = [];
    const [one, other] = [open(), open()];
    await one.start(async (jobId) => void seen.push(jobId));
    await other.start(async (jobId) => void seen.push(jobId));
    const entries = Array.from({ length: 6 }, (_, n) => ({ queueId: randomUUID(), jobId: `job-${n}` }));
    for (const { queueId, jobId } of entries) {
      await one.add(queueId, jobId);
      await one.add(queueId, jobId);
    }
    await waitFor(async () => !(await Promise.all(entries.map(({ queueId }) => one.isOpen(queueId)))).includes(true), {
      what: 'all are done',
      timeoutMs: 20_000,
    });
    expect([...seen].sort()).toEqual(entries.map(({ jobId }) => jobId));
    expect(await one.isOpen(randomUUID())).toBe(false);
  });

  it('hands a job out again that has failed', async () => {
    let tries = 0;
    const queue = open();
    await queue.start(async () => {
      if (++tries === 1) throw new Error('not yet');
    });
    const queueId = randomUUID();
    await queue.add(queueId, 'again');
    await waitFor(async () => !(await queue.isOpen(queueId)), { what: 'it is done', timeoutMs: 20_000 });
    expect(tries).toBe(2);
  });

  it('hands a job to another process whose process has died', async () => {
    const dead = open();
    const begun = Promise.withResolvers<void>();
    await dead.start(async (_jobId, signal) => {
      begun.resolve();
      // As good as dead: it never comes back before it is stopped.
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    const queueId = randomUUID();
    await dead.add(queueId, 'orphan');
    await begun.promise;
    const alive = open();
    const taken = Promise.withResolvers<string>();
    await alive.start(async (jobId) => taken.resolve(jobId));
    await alive.revive(queueId);
    expect(await taken.promise).toBe('orphan');
    await alive.revive(randomUUID());
  });

  it('calls off what runs when it stops, gives it back, and takes nothing any more', async () => {
    const queue = open();
    const begun = Promise.withResolvers<void>();
    let isCalledOff = false;
    await queue.start(async (_jobId, signal) => {
      begun.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      isCalledOff = true;
      throw signal.reason;
    });
    const queueId = randomUUID();
    await queue.add(queueId, 'stopped');
    await begun.promise;
    const startedMs = performance.now();
    await queue.stop();
    expect(isCalledOff).toBe(true);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    await expect(queue.start(async () => undefined)).rejects.toThrow('stopping');
    const next = open();
    const taken = Promise.withResolvers<string>();
    await next.start(async (jobId) => taken.resolve(jobId));
    expect(await taken.promise).toBe('stopped');
  });

  it('leaves nothing behind of a start that has failed, and can be started again', async () => {
    const { PgBoss } = await import('pg-boss');
    jest.spyOn(PgBoss.prototype, 'createQueue').mockRejectedValueOnce(new Error('cut off'));
    const stop = jest.spyOn(PgBoss.prototype, 'stop');
    const queue = open();
    await expect(queue.start(async () => undefined)).rejects.toThrow('cut off');
    expect(stop).toHaveBeenCalledTimes(1);
    jest.restoreAllMocks();
    const taken = Promise.withResolvers<string>();
    await queue.start(async (jobId) => taken.resolve(jobId));
    await queue.add(randomUUID(), 'after all');
    expect(await taken.promise).toBe('after all');
  });

  it('can be stopped before it was started, and refuses to be used then', async () => {
    const queue = open();
    await expect(queue.add(randomUUID(), 'x')).rejects.toThrow('not been started');
    await queue.stop();
  });
});
