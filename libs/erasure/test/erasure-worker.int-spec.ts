import {
  ErasureLog,
  ErasurePlace,
  ErasurePlaces,
  Erasures,
  ErasureWorker,
  ProcessMemory,
  ProcessRegister,
  reapplyErasures,
  type PlaceFinding,
} from '#erasure';
import { SystemClock } from '#kernel';
import { IndexSource, IndexSourceRegistry } from '#sync';
import { createTestDatabase, FakeVectorStore, type TestDatabase } from '#testing';
import { Logger } from '@nestjs/common';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddingCachePlace } from '../src/places/embedding-cache.place.js';
import { IndexPlace } from '../src/places/index.place.js';
import { LedgerPlace } from '../src/places/ledger.place.js';
import { MemoryPlace } from '../src/places/memory.place.js';
import { StoredAnswersPlace } from '../src/places/stored-answers.place.js';
import { RowPlace } from '../src/places/row.place.js';

class Projects extends IndexSource {
  readonly name = 'projects';
  readonly templateRev = 't';
  readonly payloadIndexes = [];
  load = async () => [];
  listIds = async () => [];
  countByBucket = async () => new Map<string, number>();
}

/** Somewhere that a test decides about. */
class TestPlace extends ErasurePlace {
  calls = 0;
  constructor(
    readonly name: string,
    private readonly find: () => Promise<PlaceFinding[]>,
  ) {
    super();
  }
  async erase(): Promise<PlaceFinding[]> {
    this.calls++;
    return this.find();
  }
}

describe('the work on erasures', () => {
  let database: TestDatabase;
  let store: FakeVectorStore;
  let folder: string;
  let places: ErasurePlaces;
  let erasures: Erasures;
  let log: ErasureLog;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase();
    folder = mkdtempSync(join(tmpdir(), 'kindred-erasures-'));
    log = new ErasureLog(join(folder, 'erasures.ndjson'));
    for (const [id, state] of [
      [1, 'retired'],
      [2, 'serving'],
    ] as const)
      await database.query(
        `INSERT INTO index_generations (id, source, collection, model_rev, template_rev, dimensions, state, embedder)
         OVERRIDING SYSTEM VALUE VALUES ($1::int, 'projects', 'c' || $1, 'm', 't', 2, $2, '{}')`,
        [id, state],
      );
  });
  beforeEach(async () => {
    await database.query('TRUNCATE erasures, erasure_steps, erasure_processes');
    store = new FakeVectorStore();
    await store.open();
    for (const name of ['c1', 'c2']) await store.ensureIndex({ name, dimensions: 2, payloadIndexes: [], metadata: {} });
    places = new ErasurePlaces();
    const session = database.relayUnitOfWork;
    for (const place of [
      new RowPlace(session),
      new LedgerPlace(session),
      new IndexPlace(session, store),
      new EmbeddingCachePlace(session),
      new MemoryPlace(session),
    ])
      places.register(place);
    const sources = new IndexSourceRegistry();
    sources.register(new Projects());
    erasures = new Erasures(database.unitOfWork, sources, log, places);
  });
  afterAll(async () => {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const worker = () =>
    new ErasureWorker({
      databaseReady: async () => undefined,
      unitOfWork: database.relayUnitOfWork,
      places,
      log,
      clock: new SystemClock(),
    });

  async function round(by = worker()): Promise<boolean> {
    await database.query('UPDATE erasures SET next_attempt_at = now()');
    return by.runOnce(new AbortController().signal);
  }

  async function erased(): Promise<{ id: string; target: string }> {
    const { rows } = await database.query<{ id: string }>(`INSERT INTO projects (name, description) VALUES ('a', 'b') RETURNING id`);
    const target = rows[0]!.id;
    const request = { kind: 'project', targetId: target, source: 'projects' } as const;
    const id = await erasures.request({
      ...request,
      pointIds: async () => [target],
      remove: async (session) => void (await session.query('DELETE FROM projects WHERE id = $1', [target])),
    });
    return { id, target };
  }

  const point = (id: string, rev: number) => ({
    id,
    vector: Float32Array.of(1, 0),
    payload: { rev, text_hash: 'h', payload_hash: 'p', model_rev: 'm', bucket: id.slice(-2) },
  });
  const stateOf = async (id: string, place: string) =>
    (await erasures.get(id)).steps.filter((step) => step.place === place).map(({ state }) => state);
  const purge = (target: string) => database.query('DELETE FROM index_ledger WHERE source_id = $1', [target]);

  it('waits for the relay, and looks at what depends on it only then', async () => {
    const late = new TestPlace('late', async () => [{ isGone: true }]);
    places.register(late);
    const { id, target } = await erased();
    await round();
    expect([await stateOf(id, 'row'), await stateOf(id, 'ledger'), await stateOf(id, 'late'), late.calls]).toEqual([
      ['proven'],
      ['pending'],
      ['pending'],
      0,
    ]);
    await purge(target);
    await round();
    expect((await erasures.get(id)).state).toBe('proven');
    expect(late.calls).toBe(1);
  });

  it('removes the point from a retired generation itself, and hands one without an entry to the relay', async () => {
    const { id, target } = await erased();
    await purge(target);
    await store.upsert('c1', [point(target, 7)]);
    await store.upsert('c2', [point(target, 1)]);
    await round();
    expect(await store.retrieve('c1', [target])).toEqual([]);
    expect(await stateOf(id, 'index')).toEqual(['proven', 'pending']);
    expect((await database.query('SELECT state FROM index_ledger WHERE source_id = $1', [target])).rows).toEqual([{ state: 'pending' }]);
    await store.delete('c2', [{ id: target, rev: 2 }]);
    await purge(target);
    await round();
    expect((await erasures.get(id)).state).toBe('proven');
  });

  it('waits for every process that lives, and for none that is gone', async () => {
    const forgotten: string[] = [];
    const memory = new ProcessMemory();
    memory.register(() => forgotten.push('emptied'));
    const parts = {
      databaseReady: async () => undefined,
      unitOfWork: database.relayUnitOfWork,
      memory,
      replica: null,
      clock: new SystemClock(),
    };
    const register = new ProcessRegister(parts);
    const { id, target } = await erased();
    await database.query(`INSERT INTO erasure_processes (holder) VALUES ('other:1')`);
    await database.query(`INSERT INTO erasure_processes (holder, seen_at) VALUES ('dead:1', now() - interval '1 minute')`);
    expect(await register.runOnce()).toBe(false);
    await purge(target);
    expect(await register.runOnce()).toBe(true);
    expect(forgotten).toEqual(['emptied', 'emptied']);
    expect(await register.runOnce()).toBe(false);
    await round();
    const parts2 = (await erasures.get(id)).steps.filter(({ place }) => place === 'process-memory');
    expect(parts2.map(({ part, state }) => [part.split(':')[0] === 'other', state])).toEqual(
      expect.arrayContaining([
        [true, 'pending'],
        [false, 'proven'],
      ]),
    );
    expect(parts2).toHaveLength(2);
    await database.query(`UPDATE erasure_processes SET cleared_through = 1000000 WHERE holder = 'other:1'`);
    await round();
    expect((await erasures.get(id)).state).toBe('proven');
  });

  it('is worked on by one process at a time', async () => {
    await erased();
    const rounds = await Promise.all([worker().runOnce(new AbortController().signal), worker().runOnce(new AbortController().signal)]);
    expect(rounds.sort()).toEqual([false, true]);
  });

  it('says what went wrong, and gives up after so many rounds as fill a day', async () => {
    places.register(new TestPlace('away', () => Promise.reject(new Error('nobody answers'))));
    const { id, target } = await erased();
    await purge(target);
    await round();
    expect(await erasures.get(id)).toMatchObject({ state: 'pending', lastError: 'away: nobody answers' });
    await database.query('UPDATE erasures SET attempts = 2899');
    await round();
    expect(await erasures.get(id)).toMatchObject({ state: 'failed', lastError: 'away: nobody answers' });
    expect(await round()).toBe(false);
  });

  it('begins anew after a restore, however old the request is', async () => {
    places.register(new TestPlace('busy', async () => [{ isGone: false }]));
    const { id, target } = await erased();
    await purge(target);
    await database.query(`UPDATE erasures SET requested_at = now() - interval '90 days', state = 'failed', attempts = 5000`);
    await reapplyErasures(database.unitOfWork, [(await log.read()).records.find(({ erasure_id }) => erasure_id === id)]);
    await round();
    expect((await erasures.get(id)).state).toBe('pending');
  });

  it('names a backup that began between the request and the commit of it', async () => {
    const { id } = await erased();
    await database.query(`UPDATE erasures SET requested_at = logged_at - interval '2 minutes'`);
    await database.query(
      `INSERT INTO backups (id, location, begun_at) SELECT id, 'between', logged_at - interval '1 minute' FROM erasures`,
    );
    await database.query(`INSERT INTO backups (id, location, begun_at) VALUES (gen_random_uuid(), 'later', now() + interval '1 minute')`);
    expect((await erasures.get(id)).backups.map(({ location }) => location)).toEqual(['between']);
  });

  it('refuses to repeat an answer that held the row, one of many as well, and leaves refusals and others alone', async () => {
    const id = '00000000-0000-4000-8000-00000000000a';
    await database.query(
      `INSERT INTO idempotency_keys (caller, route, key, fingerprint, token, claimed_until, expires_at, status, body)
       SELECT 'c', 'r', k, '\\x00', gen_random_uuid(), now(), now() + interval '1 day', s, b
       FROM (VALUES ('one', 201, $1), ('many', 200, $2), ('refused', 0, $1), ('other', 201, '{}')) AS v(k, s, b)`,
      [JSON.stringify({ id, name: 'secret' }), JSON.stringify({ items: [{ id: 'another' }, { id, name: 'secret' }] })],
    );
    const subject = {
      id,
      ordinal: 1,
      kind: 'project',
      targetId: id,
      source: 'projects',
      pointIds: [id],
      textHashes: [],
      requestedAt: new Date(),
    } as const;
    expect(await new StoredAnswersPlace(database.unitOfWork).erase(subject)).toEqual([{ isGone: true, removed: 2 }]);
    const { rows } = await database.query(`SELECT key, status, body::json ->> 'code' AS code FROM idempotency_keys ORDER BY key`);
    expect(rows).toEqual([
      { key: 'many', status: 0, code: 'idempotency.answer-erased' },
      { key: 'one', status: 0, code: 'idempotency.answer-erased' },
      { key: 'other', status: 201, code: null },
      { key: 'refused', status: 0, code: null },
    ]);
  });

  it('deletes nothing when the row cannot be deleted', async () => {
    const before = (await log.read()).records.length;
    const request = erasures.request({
      kind: 'project',
      targetId: '00000000-0000-4000-8000-000000000001',
      source: 'projects',
      pointIds: async () => [],
      remove: () => Promise.reject(new Error('no such row')),
    });
    await expect(request).rejects.toThrow('no such row');
    expect((await database.query('SELECT 1 FROM erasures')).rows).toEqual([]);
    expect((await log.read()).records).toHaveLength(before);
  });
});
