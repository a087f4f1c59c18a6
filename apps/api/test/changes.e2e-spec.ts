import { ServerProcess, waitFor } from '#testing';
import pg from 'pg';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** 5,000 for the full test: `BULK_ROWS=5000 npm test -- changes`. */
const BULK_ROWS = Number(process.env['BULK_ROWS'] ?? 300);
const VISIBLE_WITHIN_MS = 2_000;
/** Slower than any machine this runs on, for the bulk change, which takes as long as its texts take to embed. */
const EMBEDDINGS_PER_SECOND = 20;

interface Hit {
  readonly project: { readonly id: string; readonly name: string; readonly description: string };
  readonly similarity: number;
}

interface SearchReply {
  readonly results: readonly Hit[];
  readonly index: { readonly pending: number };
}

describe('every way to change a row reaches search', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kindred-changes-'));
  let server: ServerProcess;
  let sql: pg.Client;

  beforeAll(async () => {
    server = await ServerProcess.start({ DATA_DIR: dataDir });
    const { database_url } = JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8')) as { database_url: string };
    sql = new pg.Client({ connectionString: database_url });
    await sql.connect();
  }, 120_000);

  afterAll(async () => {
    await sql.end();
    await server.end('SIGTERM');
    rmSync(dataDir, { recursive: true, force: true });
  });

  const search = async (query: string): Promise<SearchReply> =>
    (await server.call<SearchReply>('POST', '/api/v1/similarity/find-similar', { query, mode: 'vector', top_k: 3, threshold: -1 })).body;

  /** Searches until `isTrue` holds, and fails with the last reply when that takes longer than allowed. */
  async function eventually(query: string, isTrue: (reply: SearchReply) => boolean, withinMs = VISIBLE_WITHIN_MS): Promise<void> {
    const deadline = performance.now() + withinMs;
    let reply = await search(query);
    while (!isTrue(reply)) {
      if (performance.now() > deadline) throw new Error(`not visible after ${withinMs} ms: ${JSON.stringify(reply)}`);
      reply = await search(query);
    }
  }

  /** Waits until the ledger itself has nothing left to do; `pending` in replies may be a second old. */
  const settled = (withinMs = VISIBLE_WITHIN_MS) =>
    waitFor(async () => (await sql.query(`SELECT 1 FROM index_ledger WHERE state = 'pending' LIMIT 1`)).rowCount === 0, {
      timeoutMs: withinMs,
      what: 'nothing pending',
    });

  const isFirst = (id: string) => (reply: SearchReply) => reply.results[0]?.project.id === id;
  let api: string;
  let raw: string;

  it('a row written over the API', async () => {
    const reply = await server.call<{ id: string; index_state: string }>('POST', '/api/v1/projects', {
      name: 'Spiral staircase',
      description: 'Spiral staircase in ash for a lighthouse',
    });
    expect(reply).toMatchObject({ status: 201, body: { index_state: 'pending' } });
    api = reply.body.id;
    await eventually('spiral staircase', isFirst(api));
  });

  it('a row inserted and updated by another client in plain SQL', async () => {
    const { rows } = await sql.query<{ id: string }>(
      `INSERT INTO projects (name, description) VALUES ('Sauna', 'Garden sauna in larch') RETURNING id`,
    );
    raw = rows[0]!.id;
    await eventually('garden sauna', isFirst(raw));
    await sql.query(`UPDATE projects SET name = 'Carport', description = 'Carport for two cars with a green roof' WHERE id = $1`, [raw]);
    await eventually('carport for two cars', isFirst(raw));
  });

  it(
    `an update of ${BULK_ROWS} rows in one statement`,
    async () => {
      const withinMs = VISIBLE_WITHIN_MS + (BULK_ROWS / EMBEDDINGS_PER_SECOND) * 1000;
      await sql.query(
        `INSERT INTO projects (name, description) SELECT 'Bench ' || n, 'Plain bench number ' || n FROM generate_series(1, $1) AS n`,
        [BULK_ROWS],
      );
      await settled(withinMs);
      await sql.query(
        `UPDATE projects SET name = 'Bookcase', description = 'Tall bookcase in walnut, variant ' || name WHERE name LIKE 'Bench %'`,
      );
      await settled(withinMs);
      const { results } = await search('tall bookcase in walnut');
      expect(results.map((hit) => hit.project.name)).toEqual(['Bookcase', 'Bookcase', 'Bookcase']);
      // The row is always shown as it is now; that it was found by its new text, only its similarity tells.
      expect(Math.min(...results.map((hit) => hit.similarity))).toBeGreaterThan(0.7);
    },
    30_000 + (BULK_ROWS / EMBEDDINGS_PER_SECOND) * 2_000,
  );

  it('a deleted row, at once and for good', async () => {
    expect((await server.call('DELETE', `/api/v1/projects/${api}`)).status).toBe(204);
    const first = await search('spiral staircase');
    expect(first.results.map((hit) => hit.project.id)).not.toContain(api);
    await eventually('spiral staircase', (reply) => !reply.results.some((hit) => hit.project.id === api));
    await settled();
  });

  it('a truncated table', async () => {
    await sql.query('TRUNCATE projects');
    expect((await search('bookcase in walnut')).results).toEqual([]);
    await waitFor(async () => (await server.call<{ points_count: number }>('GET', '/api/v1/similarity/stats')).body.points_count === 0, {
      timeoutMs: VISIBLE_WITHIN_MS + BULK_ROWS,
      what: 'the index to be empty',
    });
  });
});
