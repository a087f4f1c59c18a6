import { DatabaseIndexDirectory, type ConsistencyToken, type IndexGeneration, type IndexRelay } from '../src/index.js';
import { switchServing } from '../src/generations/switch-serving.js';
import { idOf, SyncHarness } from './sync-harness.js';

/** Far beyond what a test takes: whoever waits this long is ended by something else. */
const LONG_MS = 30_000;
const SOURCE = 'projects';
const ID = idOf(1);

describe('consistency tokens on the ledger', () => {
  let harness: SyncHarness;
  let relay: IndexRelay;
  let directory: DatabaseIndexDirectory;
  beforeAll(async () => {
    harness = await SyncHarness.create();
  });
  afterAll(() => harness.close());
  beforeEach(() => {
    relay = harness.newRelay({ maxAttempts: 1 });
    directory = new DatabaseIndexDirectory(harness.database.unitOfWork, harness.catalog, harness.embedders, relay, harness.clock);
  });
  afterEach(async () => {
    directory.beforeApplicationShutdown();
    await relay.stop();
    await harness.clear();
  });

  async function tokenOf(id = ID): Promise<ConsistencyToken> {
    const token = await directory.tokenFor(SOURCE, id);
    if (token === null) throw new Error('there is no token');
    return token;
  }

  async function written(text: string, id = ID): Promise<ConsistencyToken> {
    await harness.put(id, text);
    return tokenOf(id);
  }

  const stateOf = async (token: ConsistencyToken, waitMs = 0) => (await directory.waitForToken(token, waitMs)).state;

  it('name the version that the write has made', async () => {
    const first = await written('a');
    const entry = await harness.entry(ID);
    expect(first).toEqual({ source: SOURCE, id: ID, generationId: harness.generation.id, version: Number(entry!.version) });
    expect((await written('b')).version).toBeGreaterThan(first.version);
    await harness.remove(ID);
    expect((await tokenOf()).version).toBe(Number((await harness.entry(ID))!.version));
    await expect(directory.tokenFor(SOURCE, idOf(99))).resolves.toBeNull();
    await expect(directory.tokenFor('nothing', ID)).resolves.toBeNull();
  });

  it('are reached once the index has the write, and the index is the one to search', async () => {
    const token = await written('a');
    expect(await stateOf(token)).toBe('behind');
    await relay.runOnce();
    const answer = await directory.waitForToken(token, 0);
    expect(answer).toMatchObject({
      state: 'reached',
      serving: { generationId: harness.generation.id, collection: harness.generation.collection },
    });
  });

  it('are waited for, and the relay of the process ends the waiting', async () => {
    const token = await written('a');
    const waiting = stateOf(token, LONG_MS);
    relay.start();
    expect(await waiting).toBe('reached');
  });

  it('are waited for without a relay in the process', async () => {
    const token = await written('a');
    const waiting = stateOf(token, LONG_MS);
    await harness.newRelay().runOnce();
    expect(await waiting).toBe('reached');
  });

  it('of an earlier write stay reached while a later one waits, and are in doubt while it is on its way', async () => {
    const first = await written('a');
    await relay.runOnce();
    const second = await written('b');
    expect(await Promise.all([stateOf(first), stateOf(second)])).toEqual(['reached', 'behind']);
    const [pass] = await relay.claim();
    expect(await stateOf(first)).toBe('behind');
    await pass!.run();
    expect(await Promise.all([stateOf(first), stateOf(second)])).toEqual(['reached', 'reached']);
  });

  it('count what is pending exactly, also for many at once, and with a write that came during a count', async () => {
    for (let n = 1; n <= 5; n++) await harness.put(idOf(n), `text ${n}`);
    const { serving } = await directory.waitForToken(await tokenOf(), 0);
    const counts = Array.from({ length: 20 }, () => directory.backlog(serving));
    expect(await Promise.all(counts)).toEqual(counts.map(() => 5));
    const early = directory.backlog(serving);
    await harness.put(idOf(6), 'text 6');
    expect(await directory.backlog(serving)).toBe(6);
    await early;
    await harness.drain(relay);
    expect(await directory.backlog(serving)).toBe(0);
  });

  it('of a dead entry end the waiting at once', async () => {
    const token = await written('a');
    harness.embedder.failWhen(() => new Error('poison'));
    await harness.drain(relay);
    expect((await harness.entry(ID))!.state).toBe('dead');
    expect(await stateOf(token, LONG_MS)).toBe('dead');
    harness.embedder.recover();
    const corrected = await written('b');
    await harness.drain(relay);
    expect(await Promise.all([stateOf(token), stateOf(corrected)])).toEqual(['reached', 'reached']);
  });

  it('of a delete are reached with the tombstone, and stay so when it is purged', async () => {
    const write = await written('a');
    await relay.runOnce();
    await harness.remove(ID);
    const removal = await tokenOf();
    expect(await Promise.all([stateOf(write), stateOf(removal)])).toEqual(['reached', 'behind']);
    await relay.runOnce();
    expect((await harness.entry(ID))!.state).toBe('tombstone');
    expect(await Promise.all([stateOf(write), stateOf(removal)])).toEqual(['reached', 'reached']);
    await harness.passTime();
    await harness.drain(relay);
    expect(await harness.entry(ID)).toBeUndefined();
    expect(await Promise.all([stateOf(write), stateOf(removal)])).toEqual(['reached', 'reached']);
  });

  it('are not reached when an index was lost that had the write', async () => {
    const token = await written('a');
    await relay.runOnce();
    await harness.store.drop(harness.generation.collection);
    harness.catalog.detach(harness.generation.id);
    await harness.attacher.attach(harness.generation, harness.source);
    expect(await stateOf(token)).toBe('behind');
    await harness.drain(relay);
    expect(await stateOf(token)).toBe('reached');
  });

  it('end their waiting when the process is about to stop', async () => {
    const token = await written('a');
    const waiting = stateOf(token, LONG_MS);
    directory.beforeApplicationShutdown();
    expect(await waiting).toBe('behind');
  });

  describe('of another generation', () => {
    let other: IndexGeneration;
    const serve = async (from: IndexGeneration, to: IndexGeneration, expected: 'building' | 'standby') => {
      await switchServing(harness.database.relayUnitOfWork, { fromId: from.id, toId: to.id, expected });
    };

    beforeEach(async () => {
      await harness.database.query(
        `INSERT INTO index_generations (source, collection, model_rev, template_rev, dimensions, state, embedder, filled_at)
         SELECT source, collection || '_' || (SELECT max(id) FROM index_generations), model_rev, template_rev, dimensions, 'building', embedder, now() FROM index_generations WHERE id = $1`,
        [harness.generation.id],
      );
      harness.catalog.invalidate();
      other = (await harness.catalog.list()).at(-1)!;
      await harness.attacher.attach(other, harness.source);
    });
    afterEach(async () => {
      harness.catalog.detach(other.id);
      await harness.database.query(`UPDATE index_generations SET state = 'retired' WHERE id = $1`, [other.id]);
      await harness.database.query(`UPDATE index_generations SET state = 'serving' WHERE id = $1`, [harness.generation.id]);
      harness.catalog.invalidate();
    });

    it('are reached when nothing of the row waits in the serving one', async () => {
      await written('a');
      await harness.drain(relay);
      const token = await written('b');
      await serve(harness.generation, other, 'building');
      harness.catalog.invalidate();
      expect(await stateOf(token)).toBe('behind');
      const waiting = directory.waitForToken(token, LONG_MS);
      await harness.drain(relay);
      expect(await waiting).toMatchObject({ state: 'reached', serving: { generationId: other.id, collection: other.collection } });
      await harness.remove(ID);
      const removal = { ...token, version: token.version + 1 };
      expect(await stateOf(removal)).toBe('behind');
      await harness.drain(relay);
      expect(await stateOf(removal)).toBe('reached');
      await harness.passTime();
      await harness.drain(relay);
      expect(await stateOf(removal)).toBe('reached');
    });

    it('are dead when the row is dead in the serving one', async () => {
      const token = await written('a');
      await serve(harness.generation, other, 'building');
      harness.catalog.invalidate();
      harness.embedder.failWhen(() => new Error('poison'));
      await harness.drain(relay);
      expect(await stateOf(token, LONG_MS)).toBe('dead');
    });

    it('are never judged by a generation that stopped serving a moment ago, and is written to no more', async () => {
      await written('a');
      await harness.drain(relay);
      // This process still believes in the old one.
      await harness.catalog.list();
      await serve(harness.generation, other, 'building');
      await harness.database.query(`UPDATE index_generations SET state = 'retired' WHERE id = $1`, [harness.generation.id]);
      const token = await written('b');
      expect(token.generationId).toBe(harness.generation.id);
      expect((await harness.entry(ID))!.state).toBe('synced');
      expect(await stateOf(token)).toBe('behind');
      const answer = await directory.waitForToken(token, 0);
      expect(answer).toMatchObject({ state: 'behind', serving: { generationId: other.id } });
    });
  });
});
