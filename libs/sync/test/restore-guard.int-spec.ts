import { armCrashPoints, type CrashPoint } from '#kernel';
import { HookedVectorStore } from '#testing';
import { Logger } from '@nestjs/common';
import { dumpDatabase, dumpIndex } from './proof-fixture.js';
import { idOf, SyncHarness } from './sync-harness.js';

const ROWS = 120;

describe.each(['local', 'qdrant'] as const)('RestoreGuard, store %s', (kind) => {
  let harness: SyncHarness;

  beforeAll(async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    harness = await SyncHarness.create(new HookedVectorStore(kind));
  });
  afterAll(() => harness.close());
  afterEach(() => armCrashPoints(null));
  beforeEach(async () => {
    await harness.clear();
    await harness.database.query('DELETE FROM sync_leases');
    await harness.guard.adopt(harness.generation);
    await harness.database.query(
      `INSERT INTO projects (id, name, description, complexity)
       SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'n', 'text ' || n, n % 5 + 1 FROM generate_series(1, ${ROWS}) n`,
    );
    await drain();
  });

  const collection = () => harness.generation.collection;
  const drain = () => harness.drain(harness.newRelay());
  const check = () => harness.guard.check(harness.generation);
  const quickCheck = () => harness.quickCheck.run(harness.generation);
  const epochs = async () => {
    const { rows } = await harness.database.query<{ epoch: string; previous_epoch: string | null; paused_at: Date | null }>(
      'SELECT epoch, previous_epoch, paused_at FROM index_generations WHERE id = $1',
      [harness.generation.id],
    );
    return { ...rows[0]!, held: (await harness.store.info(collection()))!.metadata['epoch'] };
  };

  /** What happens between a dump and its return: rows come, change and go, and all of it reaches the index. */
  async function live(): Promise<void> {
    for (let n = 1; n <= 20; n++) await harness.put(idOf(n), `later ${n}`);
    for (let n = 21; n <= 40; n++) await harness.remove(idOf(n));
    for (let n = 501; n <= 520; n++) await harness.put(idOf(n), `new ${n}`);
    await drain();
    await harness.passTime();
    await drain();
  }

  async function expectConverged(): Promise<void> {
    await drain();
    await harness.passTime();
    await drain();
    await expect(harness.reconciler.run(harness.generation, { sampleSize: 1_000 })).resolves.toMatchObject({ decision: 'clean' });
    const { rows } = await harness.database.query<{ id: string; description: string }>('SELECT id, description FROM projects');
    await expect(harness.store.count(collection())).resolves.toBe(rows.length);
    for (const { id, description } of rows) await expect(harness.indexedText(id, [description])).resolves.toBe(description);
    const { epoch, held, paused_at: pausedAt } = await epochs();
    expect(held).toBe(epoch);
    expect(pausedAt).toBeNull();
  }

  describe('epochs', () => {
    it('are adopted by a collection that has none', async () => {
      await harness.store.setMetadata(collection(), { epoch: null });
      await expect(check()).resolves.toBe('advanced');
      await expect(check()).resolves.toBe('in-step');
    });

    it('advance with each quick check, on both sides', async () => {
      const before = await epochs();
      await expect(quickCheck()).resolves.toMatchObject({ is_epoch_advanced: true });
      const after = await epochs();
      expect(after.epoch).not.toBe(before.epoch);
      expect(after).toMatchObject({ previous_epoch: before.epoch, held: after.epoch });
      await expect(check()).resolves.toBe('in-step');
    });

    it('are accepted when a process died between the two sides, and then finished', async () => {
      armCrashPoints((point) => {
        if (point === 'epoch.advanced') throw new Error('The process ends here');
      });
      await expect(harness.guard.advance(harness.generation)).rejects.toThrow('ends here');
      armCrashPoints(null);
      await expect(harness.guard.advance(harness.generation)).resolves.toBe(false);
      await expect(check()).resolves.toBe('advanced');
      await expect(check()).resolves.toBe('in-step');
      await expect(harness.guard.advance(harness.generation)).resolves.toBe(true);
    });

    it('never look restored to replicas that check at the same time', async () => {
      const replicas = Array.from({ length: 3 }, () => harness.newGuard());
      for (let round = 0; round < 15; round++) {
        const states = await Promise.all(
          replicas.map(async (guard) => {
            const state = await guard.check(harness.generation);
            await guard.advance(harness.generation);
            return state;
          }),
        );
        expect(states).not.toContain('restored');
      }
    });
  });

  describe('a restored database (T31)', () => {
    it('is noticed by its epoch and healed, while the engine goes on', async () => {
      await quickCheck();
      const restore = await dumpDatabase(harness);
      await live();
      await quickCheck();
      await restore();
      await harness.put(idOf(1), 'after the restore');
      await drain();
      await expect(quickCheck()).resolves.toMatchObject({ decision: 'restored' });
      await expectConverged();
      await expect(harness.indexedText(idOf(1), ['after the restore'])).resolves.toBe('after the restore');
      await expect(harness.point(idOf(505))).resolves.toBeUndefined();
    });

    it('is noticed within one epoch by revs that it cannot have given out', async () => {
      const restore = await dumpDatabase(harness);
      await live();
      await restore();
      const { epoch, held } = await epochs();
      expect(epoch).toBe(held);
      await expect(check()).resolves.toBe('restored');
      await expect(quickCheck()).resolves.toMatchObject({ decision: 'restored' });
      await expectConverged();
    });

    it('stays wrong without healing, and says that it is right', async () => {
      const restore = await dumpDatabase(harness);
      await live();
      await restore();
      await harness.put(idOf(1), 'after the restore');
      await drain();
      // The fence kept the newer point of the old time; the ledger was told "completed".
      await expect(harness.entry(idOf(1))).resolves.toMatchObject({ state: 'synced' });
      await expect(harness.indexedText(idOf(1), ['after the restore', 'later 1'])).resolves.toBe('later 1');
      await expect(harness.guard.settle(harness.generation)).resolves.toBe('restored');
      await expectConverged();
    });

    it('is noticed again when the same dump comes back', async () => {
      await quickCheck();
      const restore = await dumpDatabase(harness);
      for (let round = 0; round < 2; round++) {
        await live();
        await quickCheck();
        await restore();
        await expect(quickCheck()).resolves.toMatchObject({ decision: 'restored' });
        await expectConverged();
      }
    });

    it('gives out the same rev with other content, which the hash finds (schedule 14)', async () => {
      const restore = await dumpDatabase(harness);
      await harness.put(idOf(1), 'B');
      await drain();
      const { indexed_version: rev } = (await harness.entry(idOf(1)))!;
      await restore();
      // The sequence burns two versions per change of an existing row, so the same number of writes brings the same rev.
      await harness.put(idOf(1), 'C');
      await drain();
      await expect(harness.entry(idOf(1))).resolves.toMatchObject({ state: 'synced', indexed_version: rev });
      await expect(harness.indexedText(idOf(1), ['B', 'C'])).resolves.toBe('B');
      await expect(check()).resolves.toBe('in-step');
      await expect(harness.reconciler.run(harness.generation)).resolves.toMatchObject({
        decision: 'repaired',
        report: { differences: { stale: { count: 1, examples: [idOf(1)] } } },
      });
      await expectConverged();
    });
  });

  describe('a restored index', () => {
    it('is noticed by its epoch and healed', async () => {
      await quickCheck();
      const restore = await dumpIndex(harness);
      await live();
      await quickCheck();
      await quickCheck();
      await restore();
      await expect(quickCheck()).resolves.toMatchObject({ decision: 'restored' });
      await expectConverged();
    });

    it('is healed at boot, before anything is written to it', async () => {
      const restore = await dumpIndex(harness);
      await live();
      await quickCheck();
      await quickCheck();
      await restore();
      await harness.attacher.attach(harness.generation, harness.source);
      await expectConverged();
    });

    it('is found by a reconciliation when it is of the same epoch', async () => {
      const restore = await dumpIndex(harness);
      await live();
      await restore();
      await expect(check()).resolves.toBe('in-step');
      await expect(harness.reconciler.run(harness.generation)).resolves.toMatchObject({
        decision: 'repaired',
        report: { differences: { stale: { count: 20 }, missing: { count: 20 }, orphan: { count: 20 } } },
      });
      await expectConverged();
    });
  });

  describe('healing', () => {
    /** A restored database, with the epoch of another time. */
    async function restored(): Promise<void> {
      const restore = await dumpDatabase(harness);
      await live();
      await quickCheck();
      await quickCheck();
      await restore();
    }

    it.each(['restore.paused', 'restore.sequence-raised', 'restore.marked'] as const)(
      'goes on when a process dies at %s; until then no relay claims',
      async (crash) => {
        await restored();
        armCrashPoints((point: CrashPoint) => {
          if (point === crash) throw new Error('The process ends here');
        });
        await expect(harness.guard.heal(harness.generation)).rejects.toThrow('ends here');
        armCrashPoints(null);
        expect((await epochs()).paused_at).not.toBeNull();
        await harness.put(idOf(1), 'while it is paused');
        await expect(harness.newRelay().runOnce()).resolves.toMatchObject({ claimed: 0 });
        // The next boot, in another process.
        await harness.attacher.attach(harness.generation, harness.source);
        await expectConverged();
      },
    );

    it('goes on when the collection cannot be written at the end', async () => {
      await restored();
      const setMetadata = jest.spyOn(harness.store, 'setMetadata').mockRejectedValueOnce(new Error('away'));
      await expect(harness.guard.heal(harness.generation)).rejects.toThrow('away');
      setMetadata.mockRestore();
      await expect(check()).resolves.toBe('restored');
      await expect(quickCheck()).resolves.toMatchObject({ decision: 'restored' });
      await expectConverged();
    });

    it('is done by one process', async () => {
      await restored();
      const [first, second] = await Promise.all([harness.newGuard().heal(harness.generation), harness.newGuard().heal(harness.generation)]);
      expect([first, second].filter((isHealed) => isHealed).length).toBeGreaterThanOrEqual(1);
      await expectConverged();
    });

    it('waits for the grace, by the clock of the database', async () => {
      await restored();
      const slow = harness.newGuard(60_000);
      const controller = new AbortController();
      const healing = slow.heal(harness.generation, controller.signal);
      const isPaused = async () => (await epochs()).paused_at !== null;
      while (!(await isPaused())) await new Promise((resolve) => setImmediate(resolve));
      await harness.database.query(`UPDATE index_generations SET paused_at = paused_at - interval '1 minute'`);
      await healing;
      controller.abort();
      await expectConverged();
    });

    it('needs the lease to resume', async () => {
      await restored();
      // Frozen past the lease, which another process may have taken meanwhile.
      const scroll = harness.store.scroll.bind(harness.store);
      const spy = jest.spyOn(harness.store, 'scroll').mockImplementation(async (...args) => {
        await harness.database.query(`UPDATE sync_leases SET lease_until = now() - interval '1 second' WHERE name LIKE 'restore:%'`);
        return scroll(...args);
      });
      await expect(harness.guard.heal(harness.generation)).rejects.toThrow(/lease .* has ended/);
      spy.mockRestore();
      expect((await epochs()).held).not.toBe((await epochs()).epoch);
      await expect(quickCheck()).resolves.toMatchObject({ decision: 'restored' });
      await expectConverged();
    });
  });

  it('heals nothing of a collection that belongs to another database', async () => {
    await quickCheck();
    await harness.store.setMetadata(collection(), { database_id: 'another', epoch: 'another' });
    await expect(check()).rejects.toThrow(/another database/);
    await expect(harness.guard.heal(harness.generation)).rejects.toThrow(/another database/);
    await expect(harness.attacher.attach(harness.generation, harness.source)).rejects.toThrow(/another database/);
    expect((await harness.store.info(collection()))!.metadata).toMatchObject({ database_id: 'another', epoch: 'another' });
    await expect(harness.store.count(collection())).resolves.toBe(ROWS);
    await harness.store.setMetadata(collection(), { database_id: null, epoch: null });
    await check();
  });

  it('refuses a collection with another dimension, and leaves it as it is', async () => {
    const name = `${collection()}_other`;
    await harness.store.ensureIndex({ name, dimensions: 7, payloadIndexes: [], metadata: { theirs: 1 } });
    const generation = { ...harness.generation, collection: name };
    await expect(harness.attacher.attach(generation, harness.source)).rejects.toThrow(/7 dimensions/);
    expect((await harness.store.info(name))!.metadata).toEqual({ theirs: 1 });
  });
});
