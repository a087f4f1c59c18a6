import { createTestDatabase, type TestDatabase } from '#testing';

interface Entry {
  readonly generation_id: number;
  readonly source_id: string;
  readonly version: string;
  readonly state: string;
  readonly attempts: number;
}

const SERVING = 1;

describe('capture triggers', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
    await addGeneration('serving');
  });

  afterAll(() => database.close());

  beforeEach(async () => {
    await database.query(`TRUNCATE projects`);
    await database.query(`DELETE FROM index_ledger`);
    await database.query(`DELETE FROM index_generations WHERE id <> $1`, [SERVING]);
  });

  async function addGeneration(state: string): Promise<number> {
    const { rows } = await database.query<{ id: number }>(
      `INSERT INTO index_generations (source, collection, model_rev, template_rev, dimensions, state, embedder)
       VALUES ('projects', gen_random_uuid()::text, 'm', 't', 3, $1, '{}') RETURNING id`,
      [state],
    );
    return rows[0]!.id;
  }

  async function insertProjects(count: number): Promise<string[]> {
    const { rows } = await database.query<{ id: string }>(
      `INSERT INTO projects (name, description) SELECT 'p' || i, 'd' FROM generate_series(1, $1) i RETURNING id`,
      [count],
    );
    return rows.map(({ id }) => id);
  }

  async function entries(generation = SERVING): Promise<Entry[]> {
    const { rows } = await database.query<Entry>(
      `SELECT generation_id, source_id, version, state, attempts FROM index_ledger WHERE generation_id = $1 ORDER BY source_id`,
      [generation],
    );
    return rows;
  }

  /** As the relay leaves an entry behind when it has nothing more to do. */
  async function settle(state = 'synced'): Promise<void> {
    await database.query(
      `UPDATE index_ledger SET state = $1, attempts = 3, changed_at = now() - interval '1 hour', next_attempt_at = now() + interval '1 hour'`,
      [state],
    );
  }

  async function pendingIds(): Promise<string[]> {
    return (await entries()).filter(({ state }) => state === 'pending').map(({ source_id }) => source_id);
  }

  it('enters inserted rows, one or many', async () => {
    const one = await insertProjects(1);
    const many = await insertProjects(5_000);
    expect(await pendingIds()).toEqual([...one, ...many].sort());
  });

  it('enters nothing for a statement that changes nothing', async () => {
    await insertProjects(3);
    await settle();
    await database.query(`UPDATE projects SET name = 'x' WHERE name = 'no such'`);
    await database.query(`DELETE FROM projects WHERE name = 'no such'`);
    await database.query(`INSERT INTO projects (name, description) SELECT 'a', 'b' WHERE false`);
    expect(await pendingIds()).toEqual([]);
  });

  it('enters updated rows, also in bulk, and only those', async () => {
    const ids = await insertProjects(1_000);
    await settle();
    await database.query(`UPDATE projects SET region = 'Nord' WHERE id = $1`, [ids[7]]);
    expect(await pendingIds()).toEqual([ids[7]]);
    await database.query(`UPDATE projects SET region = 'Süd'`);
    expect(await pendingIds()).toEqual([...ids].sort());
  });

  it('enters deleted rows', async () => {
    const ids = await insertProjects(20);
    await settle();
    await database.query(`DELETE FROM projects WHERE id = ANY($1)`, [ids.slice(0, 5)]);
    expect(await pendingIds()).toEqual(ids.slice(0, 5).sort());
  });

  it('enters every id that the ledger knows on TRUNCATE', async () => {
    const ids = await insertProjects(50);
    await settle();
    await database.query(`UPDATE index_ledger SET state = 'tombstone' WHERE source_id = $1`, [ids[0]]);
    await database.query('TRUNCATE projects');
    expect(await pendingIds()).toEqual([...ids].sort());
  });

  it('refuses TRUNCATE on a snapshot that is older than the statement', async () => {
    await insertProjects(1);
    await expect(
      database.unitOfWork.run((session) => session.query('TRUNCATE projects'), { isolation: 'REPEATABLE READ' }),
    ).rejects.toMatchObject({ code: '0A000' });
    expect((await database.query('SELECT 1 FROM projects')).rowCount).toBe(1);
  });

  it('enters both sorts of row of an upsert', async () => {
    await database.query(`INSERT INTO projects (name, description, external_id) VALUES ('old', 'd', 'e1')`);
    await settle();
    await database.query(
      `INSERT INTO projects (name, description, external_id) VALUES ('new', 'd', 'e1'), ('other', 'd', 'e2') ON CONFLICT (external_id) DO UPDATE SET name = EXCLUDED.name`,
    );
    const { rows } = await database.query<{ id: string }>('SELECT id FROM projects ORDER BY id');
    expect(await pendingIds()).toEqual(rows.map(({ id }) => id));
    expect(rows).toHaveLength(2);
  });

  it('enters the old and the new id when an id is changed', async () => {
    const [before] = await insertProjects(1);
    await settle();
    const { rows } = await database.query<{ id: string }>('UPDATE projects SET id = gen_random_uuid() RETURNING id');
    expect(await pendingIds()).toEqual([before, rows[0]!.id].sort());
  });

  it('touches a key once when ids are swapped in one statement', async () => {
    const ids = (await insertProjects(2)).sort();
    await settle();
    // Both ids are old ids of one row and new ids of another; the key must be deferrable for that, for as long as this test.
    await database.unitOfWork.run(async (session) => {
      await session.query(
        'ALTER TABLE projects DROP CONSTRAINT projects_pkey, ADD CONSTRAINT projects_pkey PRIMARY KEY (id) DEFERRABLE INITIALLY DEFERRED',
      );
      await session.query('UPDATE projects SET id = CASE id WHEN $1::uuid THEN $2::uuid ELSE $1::uuid END', ids);
    });
    await database.query('ALTER TABLE projects DROP CONSTRAINT projects_pkey, ADD CONSTRAINT projects_pkey PRIMARY KEY (id)');
    expect(await pendingIds()).toEqual(ids);
  });

  it('enters rows that a cascade deletes or changes', async () => {
    await database.query(`CREATE TABLE owners (id int PRIMARY KEY)`);
    await database.query(
      `CREATE TABLE owned (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), owner int REFERENCES owners ON DELETE CASCADE ON UPDATE CASCADE)`,
    );
    try {
      await database.query(`SELECT kindred_watch('owned', 'projects')`);
      await database.query(`INSERT INTO owners VALUES (1), (2)`);
      const { rows } = await database.query<{ id: string; owner: number }>(
        `INSERT INTO owned (owner) VALUES (1), (1), (2) RETURNING id, owner`,
      );
      const ofOwner = (owner: number): string[] =>
        rows
          .filter((row) => row.owner === owner)
          .map(({ id }) => id)
          .sort();
      await settle();
      await database.query('UPDATE owners SET id = 3 WHERE id = 2');
      expect(await pendingIds()).toEqual(ofOwner(2));
      await settle();
      await database.query('DELETE FROM owners WHERE id = 1');
      expect(await pendingIds()).toEqual(ofOwner(1));
      await settle();
      await database.query('TRUNCATE owners CASCADE');
      expect(await pendingIds()).toHaveLength(3);
    } finally {
      await database.query('DROP TABLE owned, owners');
    }
  });

  it('also fires for a session that replays changes', async () => {
    const ids = await insertProjects(2);
    await settle();
    await database.unitOfWork.run(async (session) => {
      await session.query('SET LOCAL session_replication_role = replica');
      await session.query(`UPDATE projects SET name = 'replayed' WHERE id = $1`, [ids[0]]);
      await session.query(`INSERT INTO projects (id, name, description) VALUES ('00000000-0000-4000-8000-000000000001', 'replayed', 'd')`);
      await session.query(`DELETE FROM projects WHERE id = $1`, [ids[1]]);
    });
    expect(await pendingIds()).toEqual(['00000000-0000-4000-8000-000000000001', ...ids].sort());
    await settle();
    await database.unitOfWork.run(async (session) => {
      await session.query('SET LOCAL session_replication_role = replica');
      await session.query('TRUNCATE projects');
    });
    expect(await pendingIds()).toHaveLength(3);
  });

  it('enters the change in every generation but the retired ones', async () => {
    const standby = await addGeneration('standby');
    const building = await addGeneration('building');
    const retired = await addGeneration('retired');
    const ids = await insertProjects(2);
    for (const generation of [SERVING, standby, building])
      expect((await entries(generation)).map(({ source_id }) => source_id)).toEqual([...ids].sort());
    expect(await entries(retired)).toEqual([]);
    await database.query('DELETE FROM index_ledger');
  });

  it('leaves generations of other sources alone', async () => {
    const { rows } = await database.query<{ id: number }>(
      `INSERT INTO index_generations (source, collection, model_rev, template_rev, dimensions, state, embedder) VALUES ('documents', 'd1', 'm', 't', 3, 'serving', '{}') RETURNING id`,
    );
    await insertProjects(1);
    expect(await entries(rows[0]!.id)).toEqual([]);
  });

  it('undoes the entry when the writer rolls back', async () => {
    const work = database.unitOfWork.run(async (session) => {
      await session.query(`INSERT INTO projects (name, description) VALUES ('a', 'b')`);
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(await entries()).toEqual([]);
  });

  it('keeps one entry for a hot row, with a version that only grows', async () => {
    const [id] = await insertProjects(1);
    let version = BigInt((await entries())[0]!.version);
    for (let round = 0; round < 20; round += 1) {
      await database.query('UPDATE projects SET name = $1 WHERE id = $2', [`n${round}`, id]);
      const now = await entries();
      expect(now).toHaveLength(1);
      expect(BigInt(now[0]!.version)).toBeGreaterThan(version);
      version = BigInt(now[0]!.version);
    }
  });

  it('grows the version beyond one that is ahead of the sequence', async () => {
    const [id] = await insertProjects(1);
    await database.query(`UPDATE index_ledger SET version = version + 1000000`);
    const [ahead] = await entries();
    await database.query('UPDATE projects SET name = $1 WHERE id = $2', ['x', id]);
    expect(BigInt((await entries())[0]!.version)).toBe(BigInt(ahead!.version) + 1n);
  });

  it('grows the version of a key that was purged and comes back', async () => {
    const [id] = await insertProjects(1);
    for (let round = 0; round < 10; round += 1) await database.query('UPDATE projects SET name = $1', [`n${round}`]);
    const [first] = await entries();
    await database.query('DELETE FROM projects');
    await database.query('DELETE FROM index_ledger');
    await database.query(`INSERT INTO projects (id, name, description) VALUES ($1, 'again', 'd')`, [id]);
    expect(BigInt((await entries())[0]!.version)).toBeGreaterThan(BigInt(first!.version));
  });

  it('takes the versions of all keys from one sequence', async () => {
    const ids = await insertProjects(2);
    for (let round = 0; round < 10; round += 1) await database.query('UPDATE projects SET name = $1 WHERE id = $2', [`n${round}`, ids[0]]);
    await database.query('UPDATE projects SET name = $1 WHERE id = $2', ['last', ids[1]]);
    const versions = new Map((await entries()).map(({ source_id, version }) => [source_id, BigInt(version)]));
    expect(versions.get(ids[1]!)).toBeGreaterThan(versions.get(ids[0]!)!);
  });

  it('gives versions from a sequence that no session caches', async () => {
    const { rows } = await database.query(`SELECT seqcache::int AS cache FROM pg_sequence WHERE seqrelid = 'index_version_seq'::regclass`);
    expect(rows).toEqual([{ cache: 1 }]);
  });

  it('keeps changed_at of the first unsynced change, and starts anew after a sync', async () => {
    await insertProjects(1);
    await database.query(`UPDATE index_ledger SET changed_at = '2001-01-01Z'`);
    await database.query(`UPDATE projects SET name = 'again'`);
    expect((await database.query(`SELECT changed_at FROM index_ledger`)).rows).toEqual([{ changed_at: new Date('2001-01-01T00:00:00Z') }]);
    for (const state of ['synced', 'dead', 'tombstone']) {
      await settle(state);
      await database.query(`UPDATE projects SET name = $1`, [state]);
      expect((await database.query(`SELECT changed_at > now() - interval '1 minute' AS is_recent FROM index_ledger`)).rows).toEqual([
        { is_recent: true },
      ]);
    }
  });

  it('makes an entry that waits due at once, and does not move one that is due already', async () => {
    await insertProjects(1);
    await database.query(`UPDATE index_ledger SET next_attempt_at = now() + interval '1 hour'`);
    await database.query(`UPDATE projects SET name = 'again'`);
    expect((await database.query(`SELECT next_attempt_at <= now() AS is_due FROM index_ledger`)).rows).toEqual([{ is_due: true }]);
    // A hot row would starve if each change put it to the end of the queue.
    await database.query(`UPDATE index_ledger SET next_attempt_at = '2001-01-01Z'`);
    await database.query(`UPDATE projects SET name = 'once more'`);
    expect((await database.query(`SELECT next_attempt_at FROM index_ledger`)).rows).toEqual([
      { next_attempt_at: new Date('2001-01-01T00:00:00Z') },
    ]);
    await database.query(`UPDATE index_ledger SET state = 'tombstone', next_attempt_at = now() + interval '1 hour'`);
    await database.query(`UPDATE projects SET name = 'back'`);
    expect((await database.query(`SELECT next_attempt_at <= now() AS is_due, attempts FROM index_ledger`)).rows).toEqual([
      { is_due: true, attempts: 0 },
    ]);
  });

  it('leaves the lease, the doubt and what the index holds alone', async () => {
    await insertProjects(1);
    const held = `lease_token, lease_until, in_doubt, indexed_version, indexed_hash, indexed_payload_hash`;
    await database.query(
      `UPDATE index_ledger SET lease_token = gen_random_uuid(), lease_until = now() + interval '1 minute', in_doubt = true, indexed_version = 5, indexed_hash = '\\x01', indexed_payload_hash = '\\x02', attempts = 4`,
    );
    const before = await database.query(`SELECT ${held} FROM index_ledger`);
    await database.query(`UPDATE projects SET name = 'changed'`);
    expect(await database.query(`SELECT ${held} FROM index_ledger`)).toEqual(before);
    expect((await entries())[0]!.attempts).toBe(0);
  });

  it('works for a role that may write rows and nothing else, whatever its search_path', async () => {
    const role = `kindred_writer_${process.pid}`;
    await database.query(`CREATE ROLE ${role}`);
    await database.query(`GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON projects TO ${role}`);
    try {
      await database.unitOfWork.run(async (session) => {
        await session.query(`SET LOCAL ROLE ${role}`);
        await session.query('SET LOCAL search_path = pg_temp');
        await session.query(`INSERT INTO public.projects (name, description) VALUES ('a', 'b')`);
        await session.query(`UPDATE public.projects SET name = 'c'`);
        await session.query(`DELETE FROM public.projects`);
        await session.query(`TRUNCATE public.projects`);
      });
      expect(await entries()).toHaveLength(1);
      const asWriter = (sql: string) =>
        database.unitOfWork.run(async (session) => {
          await session.query(`SET LOCAL ROLE ${role}`);
          await session.query(sql);
        });
      await expect(asWriter('SELECT 1 FROM index_ledger')).rejects.toMatchObject({ code: '42501' });
      await expect(asWriter(`SELECT kindred_mark_changed('projects', ARRAY[gen_random_uuid()])`)).rejects.toMatchObject({ code: '42501' });
      // A trigger of ours on a table of its own would let it enter any id.
      await expect(
        asWriter(
          `CREATE TEMP TABLE mine (id uuid); CREATE TRIGGER t AFTER INSERT ON mine REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.kindred_capture_insert('projects')`,
        ),
      ).rejects.toMatchObject({ code: '42501' });
    } finally {
      await database.query(`DROP OWNED BY ${role}`);
      await database.query(`DROP ROLE ${role}`);
    }
  });

  it('resolves names in functions that run with the rights of the owner where nobody else can put any', async () => {
    const { rows } = await database.query<{ proname: string; proconfig: string[] | null }>(
      `SELECT proname, proconfig FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef ORDER BY proname`,
    );
    expect(rows.map(({ proname }) => proname)).toEqual([
      ...['delete', 'insert', 'truncate', 'update'].map((event) => `kindred_capture_${event}`),
      'kindred_rechunk_collection',
    ]);
    for (const { proconfig } of rows) expect(proconfig).toEqual(['search_path=pg_catalog, pg_temp']);
  });

  it('locks the entries of one change in one order, so that two changes of the same keys do not deadlock', async () => {
    const ids = await insertProjects(500);
    const opposite = [ids, [...ids].reverse()];
    for (let round = 0; round < 10; round += 1) {
      const outcomes = await Promise.allSettled(
        opposite.map((order) => database.query(`SELECT kindred_mark_changed('projects', $1)`, [order])),
      );
      expect(outcomes.map((outcome) => (outcome.status === 'rejected' ? String(outcome.reason) : 'done'))).toEqual(['done', 'done']);
    }
  });
});
