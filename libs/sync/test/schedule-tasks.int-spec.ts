import { waitFor } from '#testing';
import { DomainError } from '#kernel';
import {
  CachePurgeTask,
  GenerationsTask,
  readTableFacts,
  reconcileWork,
  type Certificate,
  type ReconcileOptions,
  StatisticsTask,
  TombstonePurgeTask,
} from '../src/index.js';
import { idOf, SyncHarness } from './sync-harness.js';

const RUNNING = new AbortController().signal;
const CALLED_OFF = AbortSignal.abort(new Error('called off'));

describe('tasks of the schedules', () => {
  let harness: SyncHarness;
  beforeEach(async () => {
    harness = await SyncHarness.create();
  });
  afterEach(() => harness.close());

  const count = async (table: string): Promise<number> =>
    (await harness.database.query<{ n: number }>(`SELECT count(*)::integer AS n FROM ${table}`)).rows[0]!.n;

  describe('cache-purge', () => {
    const vector = (hash: string, daysUnused: number) =>
      harness.database.query(
        `INSERT INTO embedding_cache (text_hash, vector, last_used_at) VALUES (decode($1, 'hex'), '\\x00', now() - $2 * interval '1 day')`,
        [hash, daysUnused],
      );
    const hashes = async (): Promise<string[]> =>
      (await harness.database.query<{ h: string }>(`SELECT encode(text_hash, 'hex') AS h FROM embedding_cache ORDER BY 1`)).rows.map(
        ({ h }) => h,
      );

    it('removes in batches what nobody has used for 30 days and no entry names', async () => {
      await harness.put(idOf(1), 'kept, because the index has it');
      await harness.newRelay().runOnce();
      await harness.database.query(`UPDATE embedding_cache SET last_used_at = now() - interval '400 days'`);
      const [named] = await hashes();
      for (const [index, days] of [31, 29, 31, 365, 0, 31, 31].entries()) await vector(`0${index}`, days);
      expect(await new CachePurgeTask(harness.database.unitOfWork, 2).run(RUNNING)).toEqual({ removed: 5 });
      expect(await hashes()).toEqual(['01', '04', named].sort());
      expect(await new CachePurgeTask(harness.database.unitOfWork, 2).run(RUNNING)).toEqual({ removed: 0 });
    });

    it('waits for nobody: a vector that is being touched stays', async () => {
      await vector('01', 31);
      await vector('02', 31);
      await harness.database.relayUnitOfWork.run(async (session) => {
        await session.query(`SELECT 1 FROM embedding_cache WHERE text_hash = '\\x01' FOR UPDATE`);
        expect(await new CachePurgeTask(harness.database.unitOfWork).run(RUNNING)).toEqual({ removed: 1 });
      });
      expect(await hashes()).toEqual(['01']);
    });

    it('stops when it is called off', async () => {
      await vector('01', 31);
      await expect(new CachePurgeTask(harness.database.unitOfWork).run(CALLED_OFF)).rejects.toThrow('called off');
      expect(await hashes()).toEqual(['01']);
    });
  });

  describe('tombstone-purge', () => {
    const newTask = (wake = (): void => undefined) => new TombstonePurgeTask(harness.database.unitOfWork, wake, 2);

    it('reports tombstones that should be gone, touches none, and wakes the relay', async () => {
      for (const number of [1, 2, 3]) await harness.put(idOf(number), `row ${number}`);
      await harness.newRelay().runOnce();
      for (const number of [1, 2]) await harness.remove(idOf(number));
      await harness.newRelay().runOnce();
      await harness.database.query(`UPDATE index_ledger SET next_attempt_at = now() - interval '1 hour' WHERE source_id = $1`, [idOf(1)]);
      let wakes = 0;
      const result = await newTask(() => wakes++).run(RUNNING);
      expect(result).toMatchObject({
        overdue_tombstones: 1,
        removed_entries: 0,
        removed_runs: 0,
        removed_certificates: 0,
        removed_mutes: 0,
      });
      expect(result.oldest_overdue_seconds).toBeGreaterThanOrEqual(3_600);
      expect(wakes).toBe(1);
      expect(await count(`index_ledger WHERE state = 'tombstone'`)).toBe(2);
    });

    it('removes entries of generations that are dropped, and of no others', async () => {
      for (const number of [1, 2, 3, 4, 5]) await harness.put(idOf(number), `row ${number}`);
      const { rows } = await harness.database.query<{ id: number }>(
        `INSERT INTO index_generations (source, collection, model_rev, template_rev, dimensions, state, embedder, dropped_at)
         SELECT source, 'c' || n, model_rev, template_rev, dimensions, 'retired', embedder, CASE n WHEN 1 THEN now() END
         FROM index_generations, generate_series(1, 2) n RETURNING id`,
      );
      for (const { id } of rows) {
        await harness.database.query(
          `INSERT INTO index_ledger (generation_id, source_id, version, state) SELECT $1, source_id, version, state FROM index_ledger WHERE generation_id = $2`,
          [id, harness.generation.id],
        );
      }
      expect(await newTask().run(RUNNING)).toMatchObject({ removed_entries: 5 });
      const { rows: left } = await harness.database.query<{ generation_id: number }>(
        'SELECT DISTINCT generation_id FROM index_ledger ORDER BY 1',
      );
      expect(left.map(({ generation_id }) => generation_id)).toEqual([harness.generation.id, rows[1]!.id]);
    });

    it('removes runs older than a week, but never the last verdict of a schedule', async () => {
      const run = (schedule: string, daysAgo: number, outcome: string) =>
        harness.database.query(
          `INSERT INTO sync_schedule_runs (schedule, due_at, outcome, holder, lease_until) VALUES ($1, now() - $2 * interval '1 day', $3, 'test', now())`,
          [schedule, daysAgo, outcome],
        );
      for (const days of [1, 6, 8, 9, 10]) await run('statistics', days, 'done');
      await run('reconcile', 100, 'failed');
      await run('reconcile', 99, 'done');
      await run('reconcile', 98, 'skipped');
      await run('cache-purge', 98, 'running');
      await run('cache-purge', 97, 'done');
      expect(await newTask().run(RUNNING)).toMatchObject({ removed_runs: 4 });
      const { rows } = await harness.database.query<{ name: string }>(
        `SELECT schedule || ' ' || outcome || ' ' || round(extract(epoch FROM now() - due_at) / 86400) AS name FROM sync_schedule_runs ORDER BY 1`,
      );
      expect(rows.map(({ name }) => name)).toEqual([
        'cache-purge done 97',
        'cache-purge running 98',
        'reconcile done 99',
        'reconcile skipped 98',
        'statistics done 1',
        'statistics done 6',
      ]);
    });

    it('removes mutes of entries that are gone or have changed since', async () => {
      const { query } = harness.database;
      const { rows } = await query<{ id: string }>(`INSERT INTO projects (name, description) VALUES ('a', 'b'), ('c', 'd') RETURNING id`);
      const [muted, changed] = rows.map(({ id }) => id);
      await query(
        `INSERT INTO dead_letter_mutes (generation_id, source_id, version, reason)
         SELECT generation_id, source_id, version - CASE WHEN source_id = $1 THEN 1 ELSE 0 END, 'seen' FROM index_ledger WHERE source_id = ANY($2::uuid[])
         UNION ALL SELECT $3, gen_random_uuid(), 1, 'gone'`,
        [changed, [muted, changed], harness.generation.id],
      );
      expect(await newTask().run(RUNNING)).toMatchObject({ removed_mutes: 2 });
      expect((await query('SELECT source_id FROM dead_letter_mutes')).rows).toEqual([{ source_id: muted }]);
    });

    it('keeps the newest hundred certificates of each generation, and those under way', async () => {
      await harness.database.query(
        `INSERT INTO index_certificates (generation_id, decision, started_at, report)
         SELECT $1, CASE n WHEN 1 THEN 'running' ELSE 'clean' END, now() + n * interval '1 second', jsonb_build_object('n', n) FROM generate_series(1, 105) n`,
        [harness.generation.id],
      );
      expect(await newTask().run(RUNNING)).toMatchObject({ removed_certificates: 4 });
      const { rows } = await harness.database.query<{ n: number }>(
        `SELECT (report->>'n')::integer AS n FROM index_certificates ORDER BY 1`,
      );
      expect(rows.map(({ n }) => n)).toEqual([1, ...Array.from({ length: 100 }, (_, index) => index + 6)]);
    });

    it('stops when it is called off', async () => {
      await expect(newTask().run(CALLED_OFF)).rejects.toThrow('called off');
    });
  });

  describe('statistics', () => {
    it('keeps what the ledger holds beside what its tables weigh', async () => {
      const task = new StatisticsTask(harness.database.unitOfWork, async () => ({ pending: 3 }));
      const result = (await task.run()) as { pending: number; tables: { table: string; bytes: number }[] };
      expect(result.pending).toBe(3);
      expect(result.tables.map(({ table }) => table)).toEqual([
        'embedding_cache',
        'index_certificates',
        'index_generations',
        'index_ledger',
        'sync_schedule_runs',
      ]);
      expect(result.tables.every(({ bytes }) => bytes > 0)).toBe(true);
    });

    it('sees a transaction that is left open', async () => {
      expect((await readTableFacts(harness.database.unitOfWork)).oldest_transaction_seconds).toBeNull();
      await harness.database.relayUnitOfWork.run(async (session) => {
        await session.query('SELECT 1');
        const seconds = await waitFor(async () => (await readTableFacts(harness.database.unitOfWork)).oldest_transaction_seconds, {
          what: 'the open transaction shows',
        });
        expect(seconds).toBeLessThan(60);
      });
    });
  });

  describe('work on every generation', () => {
    it('gives each its turn, and fails with all results when one failed', async () => {
      const list = async () => [harness.generation, { ...harness.generation, id: 7 }, { ...harness.generation, id: 8 }];
      const task = new GenerationsTask({
        name: 'quick-check',
        list,
        work: async ({ id }) => {
          if (id === 7) throw new Error('away');
          return { checked: id };
        },
      });
      const { id, source } = harness.generation;
      await expect(task.run(RUNNING)).rejects.toMatchObject({
        message: 'generation 7: away',
        result: {
          generations: [
            { id, source, state: 'serving', result: { checked: id } },
            { id: 7, source, state: 'serving', error: 'away' },
            { id: 8, source, state: 'serving', result: { checked: 8 } },
          ],
        },
      });
    });

    it('does not go on to the next one when it is called off', async () => {
      const controller = new AbortController();
      const seen: number[] = [];
      const task = new GenerationsTask({
        name: 'reconcile',
        list: async () => [harness.generation, { ...harness.generation, id: 7 }],
        work: async ({ id }) => {
          seen.push(id);
          controller.abort(new Error('called off'));
        },
      });
      await expect(task.run(controller.signal)).rejects.toThrow('called off');
      expect(seen).toEqual([harness.generation.id]);
    });
  });

  describe('a scheduled reconciliation', () => {
    const certificate = (decision: string, report: object = {}) =>
      ({
        id: 'c1',
        decision,
        report: { verified: 5, repaired: 1, reasons: ['a sentence'], is_read_only: false, up_to: null, ...report },
      }) as unknown as Certificate;
    const work = (result: Certificate | Error, latest: Certificate | null = null) => {
      const calls: ReconcileOptions[] = [];
      const run = async (_: unknown, options: ReconcileOptions = {}): Promise<Certificate> => {
        calls.push(options);
        if (result instanceof Error) throw result;
        return result;
      };
      return { calls, outcome: reconcileWork({ run }, { latest: async () => latest })(harness.generation, RUNNING) };
    };

    it('names the certificate', async () => {
      const { outcome, calls } = work(certificate('repaired'));
      expect(await outcome).toEqual({ certificate: 'c1', decision: 'repaired', verified: 5, repaired: 1, reasons: ['a sentence'] });
      expect(calls).toEqual([{ budgetMs: 600_000, signal: RUNNING, after: undefined }]);
    });

    it.each(['failed', 'refused'])('fails when it %s', async (decision) => {
      await expect(work(certificate(decision)).outcome).rejects.toThrow(`certificate c1: ${decision}. a sentence`);
    });

    it('is left out while somebody runs one by hand, and fails with everything else', async () => {
      expect(await work(new DomainError('sync.reconciliation-running')).outcome).toMatchObject({ decision: 'left out' });
      await expect(work(new Error('away')).outcome).rejects.toThrow('away');
    });

    it.each([
      ['incomplete', {}, undefined],
      ['incomplete', { up_to: idOf(7) }, idOf(7)],
      ['incomplete', { up_to: idOf(7), is_read_only: true }, undefined],
      ['clean', { up_to: idOf(7) }, undefined],
    ])('after one that was %s %p goes on behind %s', async (decision, report, after) => {
      const { calls, outcome } = work(certificate('clean'), certificate(decision, report));
      await outcome;
      expect(calls[0]!.after).toBe(after);
    });
  });
});
