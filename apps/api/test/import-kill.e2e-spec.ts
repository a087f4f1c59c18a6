import { ServerProcess, waitFor } from '#testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LINES = 5_000;
/** Few texts: what is tested is the import, and not the model. */
const TEXTS = 20;

interface Job {
  readonly id: string;
  readonly state: string;
  readonly progress: { readonly lines: number; readonly accepted: number; readonly inserted: number; readonly rejected: number };
}

/** Every other row has an external id; each can be told from all others. */
const FILE = Array.from({ length: LINES }, (_, n) =>
  JSON.stringify({
    name: 'Gate',
    description: `Garden gate of kind ${n % TEXTS}`,
    final_price: n,
    ...(n % 2 === 0 ? { external_id: `g-${n}` } : {}),
  }),
).join('\n');

describe(`kill -9 in the middle of an import of ${LINES} lines`, () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kindred-import-kill-'));
  let server: ServerProcess;

  beforeAll(async () => {
    server = await ServerProcess.start({ DATA_DIR: dataDir });
  });
  afterAll(async () => {
    await server.end('SIGTERM');
    rmSync(dataDir, { recursive: true, force: true });
  });

  const upload = async (): Promise<Job> => {
    const url = `${server.url}/api/v1/projects/import`;
    const reply = await fetch(url, { method: 'POST', body: FILE, headers: { 'content-type': 'application/x-ndjson' } });
    expect(reply.status).toBe(202);
    return (await reply.json()) as Job;
  };
  const look = async (id: string): Promise<Job> => (await server.call<Job>('GET', `/api/v1/jobs/${id}`)).body;
  const ended = (id: string): Promise<Job> =>
    waitFor(
      async () => {
        const job = await look(id);
        return job.state === 'done' || job.state === 'failed' ? job : null;
      },
      { what: 'the import has ended', timeoutMs: 60_000, intervalMs: 50 },
    );

  it('goes on by itself after a restart: exactly as many rows, none twice', async () => {
    const { id } = await upload();
    const before = await waitFor(
      async () => {
        const job = await look(id);
        return job.progress.lines > 0 ? job : null;
      },
      { what: 'the first batch is written', timeoutMs: 30_000, intervalMs: 2 },
    );
    await server.end('SIGKILL');
    expect(before.progress.lines).toBeLessThan(LINES);

    server = await ServerProcess.start({ DATA_DIR: dataDir });
    const job = await ended(id);
    expect(job).toMatchObject({ state: 'done', progress: { lines: LINES, accepted: LINES, inserted: LINES, rejected: 0 } });
    const prices = new Set<number>();
    let rows = 0;
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body }: { body: { items: { final_price: number; version: number }[]; next_cursor: string | null } } = await server.call(
        'GET',
        `/api/v1/projects?limit=100${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      for (const { final_price, version } of body.items) {
        prices.add(final_price);
        rows++;
        expect(version).toBe(1);
      }
      cursor = body.next_cursor;
    }
    expect([rows, prices.size]).toEqual([LINES, LINES]);
  }, 120_000);
});
