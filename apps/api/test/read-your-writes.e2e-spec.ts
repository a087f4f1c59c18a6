import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess } from '#testing';

const ROUNDS = 100;
/** Many times what a slow machine needs; nobody waits that long unless something is wrong. */
const WAIT_MS = 10_000;
const HEADER = 'x-kindred-token';

interface SearchReply {
  readonly results: readonly { readonly project: { readonly id: string } }[];
  readonly freshness?: 'fresh' | 'stale';
  readonly backlog?: number;
  readonly degraded: boolean;
}

interface Written {
  readonly id: string;
  readonly token: string;
}

/** Words that no two rows share, so that the row itself is the best answer to its own text. */
const textOf = (n: number) => `commission ${n * 7_919} for client ${n * 104_729}`;

describe('reading your own writes', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kindred-tokens-'));
  let server: ServerProcess;

  beforeAll(async () => {
    server = await ServerProcess.start({ DATA_DIR: dataDir });
  }, 120_000);

  afterAll(async () => {
    await server.end('SIGTERM');
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function write(method: string, path: string, body?: unknown): Promise<Written> {
    const reply = await fetch(`${server.url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await reply.text();
    const token = reply.headers.get(HEADER);
    if (!reply.ok || token === null) throw new Error(`${method} ${path} answered ${reply.status}, token ${token}: ${text}`);
    return { id: text === '' ? '' : (JSON.parse(text) as { id: string }).id, token };
  }

  const create = (n: number) => write('POST', '/api/v1/projects', { name: `Job ${n}`, description: textOf(n) });

  async function search(query: string, token: string, waitMs: number): Promise<SearchReply> {
    const { status, body } = await server.call<SearchReply>('POST', '/api/v1/similarity/find-similar', {
      query,
      mode: 'vector',
      top_k: 3,
      threshold: -1,
      consistency_token: token,
      wait_ms: waitMs,
    });
    expect([status, body.degraded]).toEqual([200, false]);
    return body;
  }

  const idsOf = ({ results }: SearchReply) => results.map(({ project }) => project.id);

  it(
    `finds the row that was written just before, ${ROUNDS} of ${ROUNDS} times`,
    async () => {
      let found = 0;
      for (let n = 1; n <= ROUNDS; n++) {
        const { id, token } = await create(n);
        const reply = await search(`Job ${n} ${textOf(n)}`, token, WAIT_MS);
        expect([n, reply.freshness, idsOf(reply)]).toEqual([n, 'fresh', expect.arrayContaining([id])]);
        found++;
      }
      expect(found).toBe(ROUNDS);
    },
    WAIT_MS * 12,
  );

  it('says the truth without waiting: what it calls fresh is there, what it calls stale counts what waits', async () => {
    let fresh = 0;
    let stale = 0;
    for (let n = 1_001; n <= 1_100; n++) {
      const { id, token } = await create(n);
      const reply = await search(`Job ${n} ${textOf(n)}`, token, 0);
      if (reply.freshness === 'fresh') {
        fresh++;
        expect(idsOf(reply)).toContain(id);
        expect(reply).not.toHaveProperty('backlog');
      } else {
        stale++;
        expect([reply.freshness, typeof reply.backlog]).toEqual(['stale', 'number']);
      }
    }
    expect(fresh + stale).toBe(ROUNDS);
    // Embedding alone takes longer than the way to the next request: were none stale, nothing would have been tested.
    expect(stale).toBeGreaterThan(0);
  }, 60_000);

  it('follows updates and deletes', async () => {
    const { id } = await create(3_001);
    const changed = await write('PATCH', `/api/v1/projects/${id}`, {
      description: 'Observatory dome with a rotating roof for a telescope',
    });
    const reply = await search('observatory dome for a telescope', changed.token, WAIT_MS);
    expect([reply.freshness, idsOf(reply)[0]]).toEqual(['fresh', id]);
    const same = await write('PATCH', `/api/v1/projects/${id}`, {});
    expect((await search('dome', same.token, 0)).freshness).toBe('fresh');
    const removed = await write('DELETE', `/api/v1/projects/${id}`);
    const after = await search('observatory dome for a telescope', removed.token, WAIT_MS);
    expect(after.freshness).toBe('fresh');
    expect(idsOf(after)).not.toContain(id);
  });

  it('makes many wait at once, while writes go on', async () => {
    const written = await Promise.all(Array.from({ length: 30 }, (_, n) => create(4_000 + n)));
    const replies = await Promise.all(written.map(({ token }, n) => search(`Job ${4_000 + n} ${textOf(4_000 + n)}`, token, WAIT_MS)));
    for (const [n, reply] of replies.entries())
      expect([reply.freshness, idsOf(reply)]).toEqual(['fresh', expect.arrayContaining([written[n]!.id])]);
  }, 60_000);
});
