import { ServerProcess } from '#testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** 20 for the full test: `KILL_ROUNDS=20 npm test -- kill`. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 2);
const SEED = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000);
const WRITES = 200;
const IN_FLIGHT = 4;
/** After the restarted service is ready, the index must equal the table within this time. */
const HEALED_WITHIN_MS = 10_000;
/** All rows stay within one page of results, so that one search shows the whole index. */
const ROW_LIMIT = 80;

const DESCRIPTIONS = [
  'Solid oak kitchen with an island and stone worktop',
  'Open staircase in ash with a glass railing',
  'Roof truss in spruce with two dormers',
  'Larch terrace with hidden fasteners',
  'Double leaf entrance door in oak',
  'Herringbone floor in walnut, oiled',
];
const QUERY = 'wooden staircase with railing';

/** mulberry32: small, seeded, good enough to choose moments. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Row {
  readonly id: string;
  readonly description: string;
  readonly final_price: number;
  readonly external_id: string | null;
}

interface Hit {
  readonly project: Row;
  readonly similarity: number;
}

/** Rows that no writer touches: their similarity is what every row with the same text must have. */
const referenceOf = (index: number) => `reference-${index}`;

async function search(server: ServerProcess, filters?: object): Promise<Hit[]> {
  const reply = await server.call<{ results: Hit[]; degraded: boolean }>('POST', '/api/v1/similarity/find-similar', {
    query: QUERY,
    mode: 'vector',
    top_k: 100,
    threshold: -1,
    filters,
  });
  expect([reply.status, reply.body.degraded]).toEqual([200, false]);
  return reply.body.results;
}

async function table(server: ServerProcess): Promise<Row[]> {
  const reply = await server.call<{ items: Row[]; next_cursor: string | null }>('GET', '/api/v1/projects?limit=100');
  expect(reply.body.next_cursor).toBeNull();
  return reply.body.items;
}

/** What differs between the table and what search shows; empty when they are in step. */
async function differences(server: ServerProcess): Promise<string[]> {
  const [rows, hits] = [await table(server), await search(server)];
  const found = new Map(hits.map((hit) => [hit.project.id, hit.similarity]));
  const expected = new Map(rows.filter((row) => row.external_id !== null).map((row) => [row.description, found.get(row.id)]));
  const wrong = rows
    .filter((row) => found.get(row.id) === undefined || found.get(row.id) !== expected.get(row.description))
    .map((row) => `text of ${row.id}`);
  for (const row of rows) {
    const byPrice = await search(server, { final_price: { gte: row.final_price, lte: row.final_price } });
    if (!byPrice.some((hit) => hit.project.id === row.id)) wrong.push(`price of ${row.id}`);
  }
  if (hits.length !== rows.length) wrong.push(`${hits.length} hits for ${rows.length} rows`);
  return wrong;
}

async function writeUntilKilled(server: ServerProcess, random: () => number, killAt: number): Promise<void> {
  const ids = (await table(server)).filter((row) => row.external_id === null).map((row) => row.id);
  let written = 0;
  const pick = () => ids[Math.floor(random() * ids.length)]!;
  const body = () => ({
    name: 'Project',
    description: DESCRIPTIONS[Math.floor(random() * DESCRIPTIONS.length)],
    final_price: Math.floor(random() * 1e6) / 100,
  });
  const writer = async (): Promise<void> => {
    while (written < WRITES) {
      written++;
      if (written === killAt) void server.end('SIGKILL');
      const dice = random();
      try {
        if (ids.length === 0 || (dice < 0.5 && ids.length < ROW_LIMIT)) {
          const reply = await server.call<Row>('POST', '/api/v1/projects', body());
          if (reply.status === 201) ids.push(reply.body.id);
        } else if (dice < 0.8) {
          await server.call('PATCH', `/api/v1/projects/${pick()}`, body());
        } else {
          const id = pick();
          ids.splice(ids.indexOf(id), 1);
          await server.call('DELETE', `/api/v1/projects/${id}`);
        }
      } catch {
        // The server died under the request: whether it was written is for the database to say.
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, writer));
  await server.ended;
}

describe(`kill -9 during ${WRITES} writes, seed ${SEED}`, () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kindred-kill-'));
  const random = randomOf(SEED);
  let server: ServerProcess;

  beforeAll(async () => {
    server = await ServerProcess.start({ DATA_DIR: dataDir });
    for (const [index, description] of DESCRIPTIONS.entries()) {
      await server.call('POST', '/api/v1/projects', { name: 'Project', description, final_price: 1, external_id: referenceOf(index) });
    }
  });

  afterAll(async () => {
    await server.end('SIGTERM');
    rmSync(dataDir, { recursive: true, force: true });
  });

  it.each(Array.from({ length: ROUNDS }, (_, round) => round + 1))(
    'round %i: search equals the table within 10 s',
    async () => {
      await writeUntilKilled(server, random, 1 + Math.floor(random() * WRITES));
      server = await ServerProcess.start({ DATA_DIR: dataDir });
      const deadline = performance.now() + HEALED_WITHIN_MS;
      let wrong = await differences(server);
      while (wrong.length > 0 && performance.now() < deadline) wrong = await differences(server);
      expect(wrong).toEqual([]);
    },
    120_000,
  );

  it('stops with code 0 on SIGTERM and starts again', async () => {
    expect(await server.end('SIGTERM')).toBe(0);
    server = await ServerProcess.start({ DATA_DIR: dataDir });
    expect(await differences(server)).toEqual([]);
  }, 120_000);
});
