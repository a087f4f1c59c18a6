import type { RelayUnitOfWork } from '#database';
import { listEntries } from '../src/ledger/list-entries.js';
import { markPending } from '../src/ledger/mark-pending.js';
import { GenerationSwitchRefusedError, switchServing } from '../src/generations/switch-serving.js';
import { GenerationFiller, textHashOf, type IndexGeneration } from '../src/index.js';
import { SteppedRelay } from './stepped-relay.js';
import { idOf, SyncHarness } from './sync-harness.js';

/** The schedules that the protocol was checked with, by number. Two relays, steps taken one at a time, on a real PostgreSQL. */
describe('protocol schedules', () => {
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

  const indexed = () => harness.indexedText(id, ['A', 'B', 'C']);
  const version = async () => Number((await harness.entry(id))!.version);

  /** S = W:A C1 R1 D1 K1 */
  async function settle(): Promise<void> {
    await harness.put(id, 'A');
    await one.all();
    expect(await harness.entry(id)).toMatchObject({ state: 'synced', in_doubt: false });
    await expect(indexed()).resolves.toBe('A');
  }

  /** At rest, by ordinary passes: no skip, no shortcut. */
  async function rest(): Promise<void> {
    harness.store.passWrites();
    await harness.drain(harness.newRelay());
  }

  it('1: S W:B C2 R2 D2 X2 W:A E C1 R1: writes, no skip', async () => {
    await settle();
    await harness.put(id, 'B');
    await two.claim();
    await two.readAndSend();
    await two.crash().land();
    await harness.put(id, 'A');
    await harness.expireLeases();
    await one.claim();
    await expect(one.readAndSend()).resolves.toEqual(['upsert']);
    await one.deliver();
    await one.acknowledge();
    await expect(indexed()).resolves.toBe('A');
    expect(await harness.entry(id)).toMatchObject({ state: 'synced' });
  });

  it('2: S W:B C2 R2 W:A D2 K2 C1 R1: writes, no skip', async () => {
    await settle();
    await harness.put(id, 'B');
    await two.claim();
    await two.readAndSend();
    await harness.put(id, 'A');
    await two.deliver();
    await expect(two.acknowledge()).resolves.toMatchObject({ superseded: 1, synced: 0 });
    expect(await harness.entry(id)).toMatchObject({ state: 'pending', in_doubt: true, lease_token: null });
    await one.claim();
    await expect(one.readAndSend()).resolves.toEqual(['upsert']);
    await one.deliver();
    await one.acknowledge();
    await expect(indexed()).resolves.toBe('A');
  });

  it('3: W:A C1 E C2 R2 D2 K2 W:B R1: lease lost, nothing sent', async () => {
    await harness.put(id, 'A');
    await one.claim();
    await harness.expireLeases();
    await two.all();
    await harness.put(id, 'B');
    await expect(one.readAndSend()).resolves.toEqual([]);
    expect(one.message).toBeNull();
    expect(harness.store.held).toHaveLength(0);
    expect(one.pass!.summary.leasesLost).toBe(1);
    await expect(indexed()).resolves.toBe('A');
  });

  it('3, third part: 1 stalls before its send; 2 syncs A; B; 1 reads again under its old token: dropped, and A of the row is not skipped over B', async () => {
    await settle();
    await harness.put(id, 'B');
    await one.claim();
    await harness.expireLeases();
    await two.claim();
    await expect(one.readAndSend()).resolves.toEqual([]);
    await two.readAndSend();
    await two.deliver();
    await two.acknowledge();
    await expect(indexed()).resolves.toBe('B');
  });

  it('4: W:A C1 R1 X1 W:B C2 R2 D2 K2 L: B', async () => {
    await harness.put(id, 'A');
    await one.claim();
    await one.readAndSend();
    const late = one.crash();
    await harness.put(id, 'B');
    await harness.expireLeases();
    await two.all();
    await late.land();
    await late.land();
    await expect(indexed()).resolves.toBe('B');
    expect(await harness.entry(id)).toMatchObject({ state: 'synced' });
  });

  it('5: W:A C1 W:B R1 D1 K1: synced, rev 2', async () => {
    await harness.put(id, 'A');
    await one.claim();
    const claimed = await version();
    await harness.put(id, 'B');
    await one.readAndSend();
    await one.deliver();
    await expect(one.acknowledge()).resolves.toMatchObject({ synced: 1 });
    const entry = (await harness.entry(id))!;
    expect(entry).toMatchObject({ state: 'synced', in_doubt: false });
    expect(Number(entry.indexed_version)).toBe(Number(entry.version));
    expect(Number(entry.indexed_version)).toBeGreaterThan(claimed);
    expect((await harness.point(id))!.payload.rev).toBe(Number(entry.indexed_version));
    await expect(indexed()).resolves.toBe('B');
  });

  it('6: S W:- C1 R1 X1 W:A C2 R2 D2 K2 L: A stays', async () => {
    await settle();
    await harness.remove(id);
    await one.claim();
    await expect(one.readAndSend()).resolves.toEqual(['delete']);
    const late = one.crash();
    await harness.put(id, 'A');
    await harness.expireLeases();
    await two.claim();
    await expect(two.readAndSend()).resolves.toEqual(['upsert']);
    await two.deliver();
    await two.acknowledge();
    await late.land();
    await expect(indexed()).resolves.toBe('A');
  });

  it('7: W:A C1 R1 X1 W:- C2 R2 D2 K2 L G C1: found, deleted; G C1: purged', async () => {
    await harness.put(id, 'A');
    await one.claim();
    await one.readAndSend();
    const late = one.crash();
    await harness.remove(id);
    await harness.expireLeases();
    await two.all();
    expect(await harness.entry(id)).toMatchObject({ state: 'tombstone', indexed_version: null, indexed_hash: null });
    await late.land();
    await expect(indexed()).resolves.toBe('A');
    // Before the grace is over nobody looks.
    await expect(one.claim()).resolves.toBe(0);
    await harness.passTime();
    await one.claim();
    await expect(one.readAndSend()).resolves.toEqual(['verify']);
    expect(one.message).toMatchObject({ kind: 'delete' });
    await one.deliver();
    await one.acknowledge();
    await expect(harness.point(id)).resolves.toBeUndefined();
    const again = (await harness.entry(id))!;
    expect(again.state).toBe('tombstone');
    expect(again.due_in_ms).toBeGreaterThan(50_000);
    await harness.passTime();
    await one.claim();
    await one.readAndSend();
    await expect(one.acknowledge()).resolves.toMatchObject({ purged: 1 });
    await expect(harness.entry(id)).resolves.toBeUndefined();
  });

  it('8: S W:- C1 R1 D1 K1 G C1 absent, W:A, purge: 0 rows', async () => {
    await settle();
    await harness.remove(id);
    await one.all();
    await harness.passTime();
    await one.claim();
    await one.readAndSend();
    await harness.put(id, 'A');
    await expect(one.acknowledge()).resolves.toMatchObject({ purged: 0 });
    expect(await harness.entry(id)).toMatchObject({ state: 'pending' });
    await harness.expireLeases();
    await rest();
    await expect(indexed()).resolves.toBe('A');
  });

  it('9: as 8 to C1; E; C2 purges; W:A synced; 1 deletes: A stays', async () => {
    await settle();
    await harness.remove(id);
    await one.all();
    await harness.passTime();
    await one.claim();
    await harness.expireLeases();
    await two.claim();
    await two.readAndSend();
    await expect(two.acknowledge()).resolves.toMatchObject({ purged: 1 });
    await harness.put(id, 'A');
    await two.all();
    await expect(indexed()).resolves.toBe('A');
    await one.readAndSend();
    expect(one.message).toMatchObject({ kind: 'delete' });
    await one.deliver();
    await one.acknowledge();
    await expect(indexed()).resolves.toBe('A');
    expect(await harness.entry(id)).toMatchObject({ state: 'synced' });
  });

  it('10: W:poison C1 R1 W:A fail: pending', async () => {
    harness.store.passWrites();
    const relay = harness.newRelay({ maxAttempts: 1 });
    await harness.put(id, 'poison');
    const [pass] = await relay.claim();
    // The row is corrected between the failure of the text and the record of it.
    harness.embedder.failWhen((text) => (text === 'poison' ? new Error('cannot be embedded') : null));
    const { steps } = pass!;
    const embed = steps.vectors.bind(steps);
    steps.vectors = async (...args) => {
      const result = await embed(...args);
      await harness.put(id, 'A');
      return result;
    };
    await expect(pass!.run()).resolves.toMatchObject({ failed: 1, dead: 0 });
    const entry = (await harness.entry(id))!;
    expect(entry).toMatchObject({ state: 'pending', last_error: { message: 'cannot be embedded' } });
    // Nor does the back-off of the poison delay the correction.
    expect(entry.due_in_ms).toBeLessThanOrEqual(0);
    await harness.drain(relay);
    await expect(indexed()).resolves.toBe('A');
  });

  it('11: S, lose point, repair, C1 R1: writes', async () => {
    await settle();
    await harness.store.losePoints(harness.generation.collection, [id]);
    const suspects = [{ sourceId: id, seenVersion: await version(), pointRev: null }];
    await expect(markPending(harness.database.relayUnitOfWork, harness.generation.id, suspects, { states: ['synced'] })).resolves.toEqual([
      id,
    ]);
    await one.claim();
    await expect(one.readAndSend()).resolves.toEqual(['upsert']);
    await one.deliver();
    await one.acknowledge();
    await expect(indexed()).resolves.toBe('A');
  });

  it('12: S, ledger read, W:B synced, index read, repair: 0 rows', async () => {
    await settle();
    const [seen] = await listEntries(harness.database.relayUnitOfWork, harness.generation.id, null, 10);
    await harness.put(id, 'B');
    await two.all();
    const point = (await harness.point(id))!;
    expect(point.payload.rev).not.toBe(seen!.indexedVersion);
    const suspects = [{ sourceId: id, seenVersion: seen!.version, pointRev: point.payload.rev }];
    await expect(markPending(harness.database.relayUnitOfWork, harness.generation.id, suspects, { states: ['synced'] })).resolves.toEqual(
      [],
    );
    expect(await harness.entry(id)).toMatchObject({ state: 'synced', in_doubt: false });
  });

  it('13: S, point rev 9, repair v10, W:B: v11', async () => {
    await settle();
    const ahead = (await version()) + 1_000_000_000_000;
    const [point] = await harness.store.retrieve(harness.generation.collection, [id], { hasVectors: true });
    await harness.store.replacePoints(harness.generation.collection, [
      { id, vector: point!.vector!, payload: { ...point!.payload, rev: ahead } },
    ]);
    const suspects = [{ sourceId: id, seenVersion: await version(), pointRev: ahead }];
    await markPending(harness.database.relayUnitOfWork, harness.generation.id, suspects, { states: ['synced'] });
    await expect(version()).resolves.toBe(ahead + 1);
    await harness.put(id, 'B');
    await expect(version()).resolves.toBe(ahead + 2);
    await rest();
    await expect(indexed()).resolves.toBe('B');
  });

  it('14: restore to v1 after B@2; W:C is v2: the hash finds it', async () => {
    await settle();
    const { rows: ledger } = await harness.database.query<Record<string, unknown>>('SELECT version, indexed_version FROM index_ledger');
    const restored = Number(ledger[0]!['version']);
    await harness.put(id, 'B');
    await two.all();
    const lost = (await harness.point(id))!.payload.rev;
    // The database goes back to A, its versions with it; the index keeps B.
    await harness.database.query(`ALTER TABLE projects DISABLE TRIGGER USER`);
    await harness.put(id, 'A');
    await harness.database
      .query(`ALTER TABLE projects ENABLE ALWAYS TRIGGER kindred_capture_insert, ENABLE ALWAYS TRIGGER kindred_capture_update,
      ENABLE ALWAYS TRIGGER kindred_capture_delete, ENABLE ALWAYS TRIGGER kindred_capture_truncate, ENABLE ALWAYS TRIGGER projects_touch`);
    await harness.database.query(`UPDATE index_ledger SET version = $1, indexed_version = $2, state = 'synced', indexed_hash = $3`, [
      lost - 1,
      restored,
      textHashOf(harness.generation.modelRev, harness.generation.templateRev, 'A'),
    ]);
    // An upsert takes two values of the sequence, one of which it uses; the next one gives the version that B had.
    await harness.database.query(`SELECT setval('index_version_seq', $1::bigint - 2)`, [lost]);
    await harness.put(id, 'C');
    await expect(version()).resolves.toBe(lost);
    await one.all();
    // The fence has refused C and answered "completed": ledger and point agree in rev, and only the hash tells.
    expect(await harness.entry(id)).toMatchObject({ state: 'synced', indexed_version: String(lost) });
    expect((await harness.point(id))!.payload.rev).toBe(lost);
    await expect(indexed()).resolves.toBe('B');
    harness.store.passWrites();
    await expect(harness.comparison.run(harness.generation)).resolves.toMatchObject({ marked: 1 });
    await rest();
    await expect(indexed()).resolves.toBe('C');
  });

  it('15: RR begins; generation row; RR inserts: fill waits, has it', async () => {
    const early = idOf(15);
    const runner = harness.database.dataSource.createQueryRunner();
    await runner.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await runner.query('SELECT count(*) FROM projects');
    const building = await addGeneration('building');
    const filling = harness.filler.fill(building, harness.source);
    await runner.query(`INSERT INTO projects (id, name, description) VALUES ($1, 'n', 'A')`, [early]);
    // It does not know of the new generation, so only the fill can enter its row.
    await expect(harness.filler.fill(building, harness.source, { maxWaitMs: 120 })).rejects.toThrow(/older transactions are open: pid \d+/);
    await expect(harness.entry(early, building.id)).resolves.toBeUndefined();
    await runner.query('COMMIT');
    await runner.release();
    await filling;
    expect(await harness.entry(early, building.id)).toMatchObject({ state: 'pending' });
    await retire(building);
  });

  it('16: switch, W:B, rollback: B; retire, rollback: refused', async () => {
    await settle();
    const old = harness.generation;
    const next = await addGeneration('building');
    await harness.filler.fill(next, harness.source);
    harness.store.passWrites();
    await harness.attacher.attach(next, harness.source);
    const relay = harness.newRelay();
    harness.catalog.invalidate();
    await harness.drain(relay);
    const unitOfWork = harness.database.relayUnitOfWork;
    await switchServing(unitOfWork, { fromId: old.id, toId: next.id, expected: 'building' });
    await expect(switchServing(unitOfWork, { fromId: old.id, toId: next.id, expected: 'building' })).rejects.toBeInstanceOf(
      GenerationSwitchRefusedError,
    );
    await harness.put(id, 'B');
    await harness.drain(relay);
    await expect(harness.indexedText(id, ['A', 'B'], next.collection)).resolves.toBe('B');
    await switchServing(unitOfWork, { fromId: next.id, toId: old.id, expected: 'standby' });
    await expect(indexed()).resolves.toBe('B');
    await retire(next);
    await expect(switchServing(unitOfWork, { fromId: old.id, toId: next.id, expected: 'standby' })).rejects.toBeInstanceOf(
      GenerationSwitchRefusedError,
    );
    const { rows } = await harness.database.query<{ state: string }>('SELECT state FROM index_generations WHERE id = $1', [old.id]);
    // Refused as a whole: the old one has not stepped down.
    expect(rows[0]!.state).toBe('serving');
  });

  it('17: writer updates 2 then 1 during batch ack and fill: no 40P01', async () => {
    const [first, second] = [idOf(171), idOf(172)];
    await harness.put(first, 'A');
    await harness.put(second, 'A');
    await one.claim();
    await one.readAndSend();
    await one.deliver();
    const building = await addGeneration('building');
    const writer = harness.database.dataSource.createQueryRunner();
    await writer.query('BEGIN');
    await writer.query(`UPDATE projects SET description = 'B' WHERE id = $1`, [second]);
    // The ack meets a locked entry, and passes it by.
    await expect(one.acknowledge()).resolves.toMatchObject({ synced: 1, superseded: 0 });
    // The fill enters `first`, and meets `second`, which is not committed; then the writer needs `first`: one of them has to give way.
    const waits: unknown[] = [];
    const entering = enterBatch(building, waits);
    await waitUntilSomebodyWaits();
    await writer.query(`UPDATE projects SET description = 'B' WHERE id = $1`, [first]);
    await writer.query('COMMIT');
    await writer.release();
    await entering;
    expect(waits).not.toHaveLength(0);
    expect(new Set(waits)).toEqual(new Set(['55P03']));
    expect(await harness.entry(first, building.id)).toMatchObject({ state: 'pending' });
    expect(await harness.entry(second, building.id)).toMatchObject({ state: 'pending' });
    await retire(building);
    await harness.expireLeases();
    await rest();
    await expect(harness.indexedText(first, ['A', 'B'])).resolves.toBe('B');
    await expect(harness.indexedText(second, ['A', 'B'])).resolves.toBe('B');
  });

  it("18: commit between the claim's snapshot and lock: rev 2 has the new row", async () => {
    const [other, raced] = [idOf(181), idOf(182)];
    await harness.put(other, 'A');
    await harness.put(raced, 'A');
    // The claim halts at the first table that it reads: after its snapshot, before its first lock.
    const { relayUnitOfWork } = harness.database;
    const halting: RelayUnitOfWork = {
      run: (work, options) => relayUnitOfWork.run(work, options),
      query: (sql, parameters) =>
        relayUnitOfWork.query(
          sql.replace('paused_at IS NULL', 'paused_at IS NULL AND (SELECT true FROM pg_advisory_xact_lock(18))'),
          parameters,
        ),
    };
    one = new SteppedRelay(harness.newRelay({}, { unitOfWork: halting }), harness.store, harness.embedder);
    const holder = harness.database.dataSource.createQueryRunner();
    await holder.query('BEGIN');
    await holder.query('SELECT pg_advisory_xact_lock(18)');
    const claiming = one.claim();
    await waitUntilSomebodyWaits();
    const before = Number((await harness.entry(raced))!.version);
    await harness.put(raced, 'B');
    await holder.query('COMMIT');
    await holder.release();
    await expect(claiming).resolves.toBe(2);
    await one.readAndSend();
    await one.deliver();
    await one.acknowledge();
    expect((await harness.point(raced))!.payload.rev).toBeGreaterThan(before);
    await expect(harness.indexedText(raced, ['A', 'B'])).resolves.toBe('B');
    expect(await harness.entry(raced)).toMatchObject({ state: 'synced' });
  });

  async function waitUntilSomebodyWaits(): Promise<void> {
    for (;;) {
      const { rows } = await harness.database.query<{ waits: boolean }>(
        `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted) AS waits`,
      );
      if (rows[0]!.waits) return;
    }
  }

  async function addGeneration(state: string): Promise<IndexGeneration> {
    const { generation } = harness;
    const { rows } = await harness.database.query<{ id: number; collection: string }>(
      `INSERT INTO index_generations (source, collection, model_rev, template_rev, dimensions, state, embedder)
       SELECT source, collection || '_' || nextval('index_version_seq'), model_rev, template_rev, dimensions, $2, embedder FROM index_generations WHERE id = $1
       RETURNING id, collection`,
      [generation.id, state],
    );
    harness.catalog.invalidate();
    return { ...generation, id: rows[0]!.id, collection: rows[0]!.collection, state: 'building', filledAt: null };
  }

  async function retire(generation: IndexGeneration): Promise<void> {
    await harness.database.query(`UPDATE index_generations SET state = 'retired' WHERE id = $1`, [generation.id]);
    harness.catalog.detach(generation.id);
    harness.catalog.invalidate();
  }

  /** One batch of the fill, without its wait for older transactions; the SQLSTATE of each failed try goes to `failures`. */
  async function enterBatch(generation: IndexGeneration, failures: unknown[]): Promise<void> {
    const { relayUnitOfWork } = harness.database;
    const watched = new Proxy(relayUnitOfWork, {
      get: (target, property) =>
        property !== 'run'
          ? Reflect.get(target, property)
          : (...args: Parameters<typeof target.run>) =>
              target.run(...args).catch((error: { cause?: { code?: string } }) => {
                failures.push(error.cause?.code);
                throw error;
              }),
    });
    const filler = new GenerationFiller(watched, harness.clock) as unknown as { enterBatch(...args: unknown[]): Promise<string[]> };
    await filler.enterBatch(generation, harness.source, null, 100);
  }
});
