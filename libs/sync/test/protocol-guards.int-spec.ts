import { markGeneration } from '../src/generations/mark-generation.js';
import { GenerationSwitchRefusedError, switchServing } from '../src/generations/switch-serving.js';
import { enterUnknownPoints } from '../src/ledger/enter-unknown-points.js';
import { recordFailure } from '../src/ledger/record-failure.js';
import { SteppedRelay } from './stepped-relay.js';
import { idOf, SyncHarness } from './sync-harness.js';

/** Guards of the protocol that no numbered schedule reaches alone. */
describe('protocol guards', () => {
  const id = idOf(1);
  let harness: SyncHarness;
  let one: SteppedRelay;
  let two: SteppedRelay;

  beforeAll(async () => {
    harness = await SyncHarness.create();
  });
  afterAll(() => harness.close());
  beforeEach(async () => {
    await harness.clear();
    harness.store.holdWrites();
    one = new SteppedRelay(harness.newRelay(), harness.store, harness.embedder);
    two = new SteppedRelay(harness.newRelay(), harness.store, harness.embedder);
  });

  it('rule 2, token per claim: a pass that stalled is not revived by a later claim of its own relay', async () => {
    const relay = harness.newRelay();
    const [stalled, later] = [1, 2].map(() => new SteppedRelay(relay, harness.store, harness.embedder));
    await harness.put(id, 'A');
    await stalled!.claim();
    await harness.expireLeases();
    await later!.claim();
    await expect(stalled!.readAndSend()).resolves.toEqual([]);
    await expect(later!.readAndSend()).resolves.toEqual(['upsert']);
  });

  it('rule 3, one snapshot: version and row belong together although the row changes between the two reads', async () => {
    await harness.put(id, 'A');
    const before = Number((await harness.entry(id))!.version);
    await one.claim();
    harness.source.beforeLoad = () => harness.put(id, 'B');
    try {
      await one.readAndSend();
    } finally {
      harness.source.beforeLoad = () => Promise.resolve();
    }
    await one.deliver();
    expect((await harness.point(id))!.payload.rev).toBe(before);
    await expect(harness.indexedText(id, ['A', 'B'])).resolves.toBe('A');
    await expect(one.acknowledge()).resolves.toMatchObject({ superseded: 1 });
  });

  it('rule 6, token: the skip of a pass whose lease was taken records nothing over the write of the next one', async () => {
    await harness.put(id, 'A');
    await one.all();
    await harness.database.query(`UPDATE projects SET name = 'touched'`);
    await one.claim();
    await expect(one.readAndSend()).resolves.toEqual(['skip']);
    await harness.expireLeases();
    await two.claim();
    await expect(two.readAndSend()).resolves.toEqual(['upsert']);
    await expect(one.acknowledge()).resolves.toMatchObject({ skipped: 0, superseded: 0 });
    expect(await harness.entry(id)).toMatchObject({ state: 'pending', in_doubt: true });
    await two.deliver();
    await two.acknowledge();
    const entry = (await harness.entry(id))!;
    expect(entry).toMatchObject({ state: 'synced' });
    expect((await harness.point(id))!.payload.rev).toBe(Number(entry.indexed_version));
  });

  it('rule 7, token: the failure of a pass whose lease was taken changes nothing', async () => {
    await harness.put(id, 'A');
    harness.store.passWrites();
    const release = harness.holdEmbedder();
    const [stalled] = await harness.newRelay().claim();
    const running = stalled!.run();
    await harness.expireLeases();
    await two.claim();
    harness.embedder.failAlways(new Error('too late'));
    release();
    await running;
    expect(await harness.entry(id)).toMatchObject({ lease_token: two.pass!.lease.token, last_error: null });
  });

  it('rule 7, version: a failure says nothing about a newer version, whatever its attempts are', async () => {
    await harness.put(id, 'A');
    await one.claim();
    const { entries, lease } = one.pass!;
    // Past the trigger, which would set the attempts back: the version alone has to decide.
    await harness.database.query('UPDATE index_ledger SET version = version + 1, attempts = 99');
    const failure = { sourceId: id, rev: entries[0]!.version, isDeleting: false, backoffMs: 50_000, isInDoubt: true };
    const error = { code: 'x', message: 'x', at: new Date(0).toISOString() };
    const options = { error, maxAttempts: 1, isPause: false };
    await expect(recordFailure(harness.database.relayUnitOfWork, harness.generation.id, lease.token, [failure], options)).resolves.toEqual([
      { sourceId: id, isDead: false },
    ]);
    expect(await harness.entry(id)).toMatchObject({ state: 'pending', lease_token: null });
  });

  it('rule 8, version: a tombstone of a later delete is not purged for an earlier one', async () => {
    await harness.put(id, 'A');
    await one.all();
    await harness.remove(id);
    await one.all();
    await harness.passTime();
    await one.claim();
    await one.readAndSend();
    await harness.database.query('UPDATE index_ledger SET version = version + 1');
    await expect(one.acknowledge()).resolves.toMatchObject({ purged: 0 });
    expect(await harness.entry(id)).toMatchObject({ state: 'tombstone' });
  });

  it('rule 9, no entry: a point that is unknown gets a version above its rev', async () => {
    await enterUnknownPoints(harness.database.relayUnitOfWork, harness.generation.id, [{ id, rev: 7_000_000_000 }]);
    expect(await harness.entry(id)).toMatchObject({ version: '7000000001', state: 'pending', in_doubt: true });
  });

  it('rule 12, first row: nobody steps up when nobody steps down', async () => {
    const { rows } = await harness.database.query<{ id: number }>(
      `INSERT INTO index_generations (source, collection, model_rev, template_rev, dimensions, state, embedder)
       SELECT source, collection || '_next', model_rev, template_rev, dimensions, 'building', embedder FROM index_generations WHERE id = $1 RETURNING id`,
      [harness.generation.id],
    );
    const building = rows[0]!.id;
    const refused = switchServing(harness.database.relayUnitOfWork, { fromId: building, toId: building, expected: 'building' });
    await expect(refused).rejects.toBeInstanceOf(GenerationSwitchRefusedError);
    await harness.database.query('DELETE FROM index_generations WHERE id = $1', [building]);
  });

  it('rule 8, grace: the tombstone of a delete is not looked at before the grace is over', async () => {
    await harness.put(id, 'A');
    await one.all();
    await harness.remove(id);
    await one.all();
    expect((await harness.entry(id))!.due_in_ms).toBeGreaterThan(90_000);
  });

  it('rule 10, leases: after an index is lost, entries that were leased are due at once, and old work is not recorded', async () => {
    await harness.put(id, 'A');
    await one.claim();
    await one.readAndSend();
    await expect(markGeneration(harness.database.relayUnitOfWork, harness.generation.id)).resolves.toBe(1);
    expect(await harness.entry(id)).toMatchObject({ state: 'pending', in_doubt: true, lease_token: null });
    await one.deliver();
    await expect(one.acknowledge()).resolves.toMatchObject({ synced: 0, superseded: 0 });
    await expect(two.claim()).resolves.toBe(1);
  });

  it('rule 10, locks: an entry that a writer holds is marked as soon as it can be', async () => {
    await harness.put(id, 'A');
    await one.all();
    const writer = harness.database.dataSource.createQueryRunner();
    await writer.query('BEGIN');
    await writer.query(`UPDATE projects SET name = 'touched'`);
    const marking = markGeneration(harness.database.relayUnitOfWork, harness.generation.id);
    await expect(Promise.race([marking, new Promise((resolve) => setTimeout(() => resolve('waits'), 150))])).resolves.toBe('waits');
    await writer.query('COMMIT');
    await writer.release();
    await marking;
    // The writer's change alone would have left the old bookkeeping trusted.
    expect(await harness.entry(id)).toMatchObject({ state: 'pending', in_doubt: true });
  });
});
