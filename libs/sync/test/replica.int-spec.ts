import { FakeVectorStore, FixedClock, HookedVectorStore, SeededRandom, waitFor } from '#testing';
import { SearchReplica, VectorStoreError, type StoredPoint, type VectorPoint } from '#vector-store';
import { Logger } from '@nestjs/common';
import { ReplicaFollower, type IndexGeneration, type IndexRelay } from '../src/index.js';
import { switchServing } from '../src/generations/switch-serving.js';
import { idOf, SyncHarness } from './sync-harness.js';

const GAP_MS = 60_000;
const SEED = 20261125;

/** The store of the copy; counts the points that are written to it. */
class CopyStore extends HookedVectorStore {
  written = 0;

  override async upsert(collection: string, points: readonly VectorPoint[]): Promise<void> {
    this.written += points.length;
    await super.upsert(collection, points);
  }
}

describe('ReplicaFollower', () => {
  let harness: SyncHarness;
  let relay: IndexRelay;
  let clock: FixedClock;
  let copy: CopyStore;
  let replica: SearchReplica;
  let follower: ReplicaFollower;
  let warnings: jest.SpyInstance;
  beforeAll(async () => {
    harness = await SyncHarness.create(new HookedVectorStore('qdrant'));
    relay = harness.newRelay();
  });
  afterAll(() => harness.close());
  beforeEach(async () => {
    jest.spyOn(Logger.prototype, 'log').mockReturnValue(undefined);
    warnings = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    harness.store.failWith(null);
    await harness.clear();
    clock = new FixedClock();
    copy = new CopyStore();
    restart();
  });
  afterEach(() => jest.restoreAllMocks());

  /** A new process on the store that is there. */
  function restart(maxPoints = 1_000): void {
    replica = new SearchReplica(copy, maxPoints, clock);
    follower = new ReplicaFollower({
      databaseReady: () => Promise.resolve(),
      unitOfWork: harness.database.relayUnitOfWork,
      replica,
      sources: harness.sources,
      catalog: harness.catalog,
      clock,
      gapMs: GAP_MS,
    });
  }

  const all = async (store: FakeVectorStore, collection = harness.generation.collection): Promise<StoredPoint[]> =>
    (await store.scroll(collection, { limit: 10_000, hasVectors: true })).points;
  const putMany = async (from: number, to: number, text = 'text') => {
    for (let n = from; n < to; n++) await harness.put(idOf(n), `${text} ${n}`, 1 + (n % 5));
  };
  const drain = () => harness.drain(relay);
  const expectEqual = async (collection = harness.generation.collection) => {
    expect(await all(copy, collection)).toEqual(await all(harness.store, collection));
  };
  const canAnswer = () => replica.canAnswer(harness.generation.collection);

  it('copies what is there, and then answers', async () => {
    await putMany(0, 12);
    await drain();
    expect(canAnswer()).toBe(false);
    await expect(follower.runOnce()).resolves.toBe(12);
    expect(canAnswer()).toBe(true);
    await expectEqual();
  });

  it('never asks the index: it comes into being while that is away', async () => {
    await putMany(0, 12);
    await drain();
    const points = await all(harness.store);
    harness.store.goAway();
    harness.store.failWith(new VectorStoreError('unavailable', 'away'));
    await follower.runOnce();
    harness.store.failWith(null);
    harness.store.recover();
    expect(await all(copy)).toEqual(points);
  });

  it('follows new rows, texts, payloads and deletes, and writes nothing twice', async () => {
    await putMany(0, 20);
    await drain();
    await follower.runOnce();
    await harness.put(idOf(1), 'another text', 1);
    await harness.put(idOf(2), 'text 2', 5);
    await harness.put(idOf(30), 'new', null);
    await harness.remove(idOf(3));
    await drain();
    copy.written = 0;
    await expect(follower.runOnce()).resolves.toBe(4);
    await expectEqual();
    for (let n = 0; n < 5; n++) await expect(follower.runOnce()).resolves.toBe(0);
    expect(copy.written).toBe(3);
  });

  it(`equals the index after any history (seed ${SEED})`, async () => {
    const seeded = new SeededRandom(SEED);
    const random = () => seeded.next();
    for (let step = 0; step < 300; step++) {
      const id = idOf(Math.floor(random() * 25));
      const dice = random();
      if (dice < 0.45) await harness.put(id, `text ${Math.floor(random() * 40)}`, 1 + Math.floor(random() * 5));
      else if (dice < 0.6) await harness.remove(id);
      else if (dice < 0.75) await relay.runOnce();
      else if (dice < 0.8) await harness.passTime();
      else if (dice < 0.85) clock.advance(Math.floor(random() * 90_000));
      else if (dice < 0.87) restart();
      else await follower.runOnce();
    }
    await drain();
    await follower.runOnce();
    await expectEqual();
  });

  it('replays a gap, and does not rebuild', async () => {
    await putMany(0, 60);
    await drain();
    await follower.runOnce();
    copy.written = 0;
    await putMany(0, 5, 'changed');
    await harness.remove(idOf(50));
    await drain();
    // While nobody looked, the tombstone has come and gone: only a comparison finds what is left behind.
    await harness.passTime();
    await drain();
    expect(await harness.entry(idOf(50))).toBeUndefined();
    clock.advance(GAP_MS + 1);
    await expect(follower.runOnce()).resolves.toBe(6);
    expect(copy.written).toBe(5);
    await expectEqual();
  });

  it('starts from what an earlier process left, whatever it was, and removes other collections', async () => {
    await putMany(0, 20);
    await drain();
    await follower.runOnce();
    const [first, second, third] = await all(copy);
    const spoil = (point: StoredPoint, rev: number, hash = 'f'.repeat(64)): VectorPoint => ({
      id: point.id,
      vector: point.vector!,
      payload: { ...point.payload, rev, text_hash: hash },
    });
    const { collection } = harness.generation;
    // Damage of all kinds: the same rev with other content, a rev of the future, one of the past, a point too many, one too few.
    await copy.replacePoints(collection, [
      spoil(first!, first!.payload.rev),
      spoil(second!, second!.payload.rev + 1_000_000),
      spoil(third!, 1),
      { ...spoil(third!, 5), id: idOf(777) },
    ]);
    await copy.losePoints(collection, [idOf(19)]);
    await copy.ensureIndex({ name: 'of_another_time', dimensions: 3, payloadIndexes: [], metadata: {} });
    copy.written = 0;
    restart();
    await expect(follower.runOnce()).resolves.toBe(5);
    expect([copy.written, await copy.listCollections()]).toEqual([4, [collection]]);
    await expectEqual();
  });

  it.each([
    [1_900, 0],
    [50_000, 16_000],
    [500_000, 601_000],
  ])('finds a record that was committed %i ms late, within %i ms', async (lateMs, withinMs) => {
    await putMany(0, 3);
    await drain();
    await follower.runOnce();
    await putMany(1, 2, 'late');
    await drain();
    await harness.database.query(`UPDATE index_ledger SET recorded_at = recorded_at - $1 * interval '1 millisecond' WHERE source_id = $2`, [
      lateMs,
      idOf(1),
    ]);
    if (withinMs > 0) await expect(follower.runOnce()).resolves.toBe(0);
    // Looks every so often, as in life, so that there is no gap.
    for (let passedMs = 0; passedMs < withinMs; passedMs += 1_000) {
      clock.advance(1_000);
      await follower.runOnce();
    }
    await follower.runOnce();
    await expectEqual();
  });

  it('keeps what the index holds of a row that has moved on, and says how far behind it is', async () => {
    await putMany(0, 3);
    await drain();
    await follower.runOnce();
    clock.advance(1_000);
    await follower.runOnce();
    expect(replica.ageSeconds(harness.generation.collection)).toBe(0);
    harness.store.failWrites(() => new VectorStoreError('unavailable', 'away'));
    await harness.put(idOf(1), 'newer', 5);
    await harness.remove(idOf(2));
    await relay.runOnce();
    await harness.database.query(`UPDATE index_ledger SET changed_at = now() - interval '90 seconds' WHERE source_id = $1`, [idOf(1)]);
    clock.advance(1_000);
    await follower.runOnce();
    await expectEqual();
    clock.advance(500);
    expect(replica.ageSeconds(harness.generation.collection)).toBeCloseTo(90.5, 0);
    // A copy that begins now cannot have it: the payload that was indexed is no longer known.
    copy = new CopyStore();
    restart();
    await follower.runOnce();
    expect([(await all(copy)).map(({ id }) => id), canAnswer()]).toEqual([[idOf(0)], true]);
    harness.store.failWrites(null);
    await harness.database.query('UPDATE index_ledger SET next_attempt_at = now(), lease_until = NULL');
    await waitFor(async () => (await relay.runOnce(), (await harness.entry(idOf(1)))?.state === 'synced'), { what: 'the relay is back' });
    await drain();
    clock.advance(1_000);
    await follower.runOnce();
    await expectEqual();
  });

  it('takes the vector of the text that was indexed, although the row has another one by now', async () => {
    await harness.put(idOf(1), 'indexed', 3);
    await drain();
    await harness.put(idOf(1), 'newer text, same payload', 3);
    await follower.runOnce();
    await expectEqual();
  });

  it('does without a vector that the cache has lost, and says so once', async () => {
    await putMany(0, 4);
    await drain();
    await harness.database.query(
      'DELETE FROM embedding_cache WHERE text_hash = (SELECT indexed_hash FROM index_ledger WHERE source_id = $1)',
      [idOf(2)],
    );
    for (let n = 0; n < 3; n++) await follower.runOnce();
    expect((await all(copy)).map(({ id }) => id)).toEqual([idOf(0), idOf(1), idOf(3)]);
    expect(warnings.mock.calls.filter(([message]) => String(message).includes('no vector in the cache'))).toHaveLength(1);
  });

  it('is compared again after its store has lost points', async () => {
    await putMany(0, 10);
    await drain();
    await follower.runOnce();
    copy.breakDown();
    await copy.losePoints(harness.generation.collection, [idOf(4)]);
    expect(canAnswer()).toBe(false);
    await follower.runOnce();
    expect(canAnswer()).toBe(true);
    await expectEqual();
  });

  it('goes on from where it was after a failure in between', async () => {
    await putMany(0, 5);
    await drain();
    await follower.runOnce();
    await putMany(0, 2, 'changed');
    await drain();
    copy.failWrites(() => new VectorStoreError('unavailable', 'full'));
    await expect(follower.runOnce()).rejects.toThrow('full');
    copy.failWrites(null);
    clock.advance(5_000);
    await follower.runOnce();
    await expectEqual();
  });

  describe('with too many points', () => {
    const status = () => replica.status()[0]?.state;

    it('has no copy, says so once, and makes one when there are fewer', async () => {
      restart(10);
      await putMany(0, 11);
      await drain();
      for (let n = 0; n < 3; n++) {
        await follower.runOnce();
        clock.advance(60_000);
      }
      expect([status(), canAnswer(), await copy.listCollections()]).toEqual(['too-large', false, []]);
      expect(warnings.mock.calls.filter(([message]) => String(message).includes('VECTOR_FALLBACK_MAX_POINTS'))).toHaveLength(1);
      await harness.remove(idOf(0));
      await drain();
      await follower.runOnce();
      expect(status()).toBe('too-large');
      await harness.remove(idOf(1));
      await drain();
      await follower.runOnce();
      expect(status()).toBe('too-large');
      clock.advance(60_000);
      await follower.runOnce();
      expect(status()).toBe('ready');
      await expectEqual();
    });

    it('gives up a copy that outgrows the limit', async () => {
      restart(10);
      await putMany(0, 10);
      await drain();
      await follower.runOnce();
      expect(canAnswer()).toBe(true);
      await putMany(10, 11);
      await drain();
      await follower.runOnce();
      expect([status(), canAnswer(), await copy.listCollections()]).toEqual(['too-large', false, []]);
    });
  });

  describe('when another generation serves', () => {
    let next: IndexGeneration;
    beforeEach(async () => {
      await putMany(0, 15);
      await drain();
      await follower.runOnce();
      const { rows } = await harness.database.query<{ id: number; collection: string }>(
        `INSERT INTO index_generations (source, collection, model_rev, template_rev, dimensions, state, embedder)
         SELECT source, collection || '_' || nextval('index_version_seq'), model_rev, 't2', dimensions, 'building', embedder FROM index_generations WHERE id = $1
         RETURNING id, collection`,
        [harness.generation.id],
      );
      next = { ...harness.generation, ...rows[0]!, templateRev: 't2', state: 'building', filledAt: null };
      harness.catalog.invalidate();
      await harness.filler.fill(next, harness.source);
      await harness.attacher.attach(next, harness.source);
      await drain();
    });
    afterEach(async () => {
      await harness.database.query(`UPDATE index_generations SET state = 'retired' WHERE id = $1`, [next.id]);
      await harness.database.query(`UPDATE index_generations SET state = 'serving' WHERE id = $1`, [harness.generation.id]);
      harness.catalog.detach(next.id);
      harness.catalog.invalidate();
    });
    const switchOver = async () => {
      await switchServing(harness.database.relayUnitOfWork, { fromId: harness.generation.id, toId: next.id, expected: 'building' });
      harness.catalog.invalidate();
    };

    it('copies that one, and drops the old copy afterwards', async () => {
      await follower.runOnce();
      expect(replica.canAnswer(next.collection)).toBe(false);
      await switchOver();
      await follower.runOnce();
      expect([replica.canAnswer(next.collection), canAnswer()]).toEqual([true, false]);
      expect(await copy.listCollections()).toEqual([next.collection]);
      await expectEqual(next.collection);
    });

    it('keeps the old copy until the new one is complete', async () => {
      await switchOver();
      copy.failWrites(({ collection }) => (collection === next.collection ? new VectorStoreError('unavailable', 'busy') : null));
      await expect(follower.runOnce()).rejects.toThrow('busy');
      expect([replica.canAnswer(next.collection), canAnswer()]).toEqual([false, true]);
      copy.failWrites(null);
      await follower.runOnce();
      expect([replica.canAnswer(next.collection), canAnswer()]).toEqual([true, false]);
    });
  });

  it('follows by itself between start and stop, and survives that the database is away', async () => {
    let isAway = true;
    const { relayUnitOfWork } = harness.database;
    const unitOfWork = new Proxy(relayUnitOfWork, {
      get: (target, property) => {
        if (isAway) return () => Promise.reject(new Error('the database is away'));
        const value: unknown = Reflect.get(target, property);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    follower = new ReplicaFollower({
      databaseReady: () => Promise.resolve(),
      unitOfWork,
      replica,
      sources: harness.sources,
      catalog: harness.catalog,
      clock,
      gapMs: GAP_MS,
    });
    follower.start();
    await waitFor(() => warnings.mock.calls.length > 0, { what: 'the failure is logged' });
    isAway = false;
    await waitFor(canAnswer, { what: 'the copy can answer' });
    await putMany(0, 3);
    await drain();
    await waitFor(async () => (await copy.count(harness.generation.collection)) === 3, { what: 'the rows arrive' });
    await follower.stop();
    await expectEqual();
  });
});
