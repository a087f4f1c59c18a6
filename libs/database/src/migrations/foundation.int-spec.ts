import { createTestDatabase, type TestDatabase } from '#testing';

describe('foundation tables', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterAll(() => database.close());

  it('makes uuids of version 7, variant 10, with the time in front', async () => {
    const { rows } = await database.query<{ id: string; earliest: string; latest: string }>(`
      SELECT kindred_uuid_v7() AS id, floor(extract(epoch FROM statement_timestamp()) * 1000000)::bigint AS earliest, ceil(extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS latest
      FROM generate_series(1, 500)`);
    for (const { id, earliest, latest } of rows) {
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      const digits = id.replaceAll('-', '');
      // Milliseconds, and behind the version their fraction in 4096ths, rounded down.
      const timeUs = parseInt(digits.slice(0, 12), 16) * 1_000 + Math.ceil((parseInt(digits.slice(13, 16), 16) * 1_000) / 4_096);
      expect(timeUs).toBeGreaterThanOrEqual(Number(earliest));
      expect(timeUs).toBeLessThanOrEqual(Number(latest));
    }
    expect(new Set(rows.map(({ id }) => id)).size).toBe(500);
    // No bit behind the milliseconds stands still: fine parts of the fraction, then chance.
    for (const position of [16, 17, 20, 21, 22, 24, 30, 35]) expect(new Set(rows.map(({ id }) => id[position])).size).toBeGreaterThan(8);
  });

  it('orders uuids by the time they were made, within a millisecond and over sessions too', async () => {
    const { rows } = await database.query<{ id: string }>(`SELECT kindred_uuid_v7() AS id, pg_sleep(0.00001) FROM generate_series(1, 300)`);
    const ids = rows.map(({ id }) => id);
    for (let n = 0; n < 300; n++) {
      const session = n % 2 === 0 ? database.unitOfWork : database.relayUnitOfWork;
      ids.push((await session.query<{ id: string }>('SELECT kindred_uuid_v7() AS id')).rows[0]!.id);
    }
    expect([...ids].sort()).toEqual(ids);
    // Many share their millisecond, or this would have shown nothing.
    expect(new Set(ids.map((id) => id.slice(0, 13))).size).toBeLessThan(ids.length * 0.9);
  });

  it('bumps version and updated_at of a project, whatever the statement says, and keeps created_at', async () => {
    await database.query(`INSERT INTO projects (name, description) VALUES ('a', 'b')`);
    const [before] = (
      await database.query<{ version: number; created_at: Date; updated_at: Date }>('SELECT version, created_at, updated_at FROM projects')
    ).rows;
    expect(before).toMatchObject({ version: 1, updated_at: before!.created_at });
    await database.query(`UPDATE projects SET version = 99, created_at = '2001-01-01', updated_at = '2001-01-01', name = 'c'`);
    const [after] = (
      await database.query<{ version: number; created_at: Date; updated_at: Date }>('SELECT version, created_at, updated_at FROM projects')
    ).rows;
    expect(after).toMatchObject({ version: 2, created_at: before!.created_at });
    expect(after!.updated_at.getTime()).toBeGreaterThanOrEqual(before!.updated_at.getTime());
  });

  it('never sets updated_at back when the clock was', async () => {
    await database.query(`DELETE FROM projects`);
    await database.query(`INSERT INTO projects (name, description, updated_at) VALUES ('a', 'b', '2100-01-01Z')`);
    await database.query(`UPDATE projects SET name = 'c'`);
    expect((await database.query('SELECT updated_at FROM projects')).rows).toEqual([{ updated_at: new Date('2100-01-01T00:00:00Z') }]);
  });

  it('lets one generation of a source serve', async () => {
    const insert = `INSERT INTO index_generations (source, collection, model_rev, template_rev, dimensions, state, embedder) VALUES ('s', $1, 'm', 't', 3, $2, '{}')`;
    await database.query(insert, ['one', 'serving']);
    await database.query(insert, ['two', 'standby']);
    await expect(database.query(insert, ['three', 'serving'])).rejects.toMatchObject({ code: '23505' });
    await expect(database.query(insert, ['one', 'building'])).rejects.toMatchObject({ code: '23505' });
  });
});
