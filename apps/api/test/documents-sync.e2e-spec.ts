import { ServerProcess, waitFor } from '#testing';
import pg from 'pg';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const WAIT_MS = 10_000;
const FAQ = { collection: 'faq', title: 'Which wood suits a staircase?', content: 'Oak, ash and beech are hard enough for treads.' };
const CHUNKS = 100;
const EMBEDDINGS_PER_EDIT = 3;

interface Reply {
  readonly results: readonly {
    readonly document: { readonly id: string; readonly title: string };
    readonly chunk: { readonly text: string };
  }[];
  readonly source: string;
}
interface Written {
  readonly id: string;
  readonly index_state: string;
}

/** The real api with its embedded database, local index and model. */
describe('documents on their way into the index', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kindred-documents-'));
  let server: ServerProcess;
  let sql: pg.Client;

  const start = async () => {
    server = await ServerProcess.start({ DATA_DIR: dataDir, EMBEDDING_WORKERS: '1' });
    const { database_url } = JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8')) as { database_url: string };
    sql = new pg.Client({ connectionString: database_url });
    sql.on('error', () => undefined);
    await sql.connect();
  };

  beforeAll(async () => {
    await start();
    expect((await server.call('POST', '/api/v1/collections', { name: 'faq' })).status).toBe(201);
  }, 120_000);
  afterAll(async () => {
    await sql.end();
    await server.end('SIGTERM');
    rmSync(dataDir, { recursive: true, force: true });
  });

  const ask = async (query: string) =>
    (await server.call<Reply>('POST', '/api/v1/query', { query, top_k: 3, mode: 'vector', threshold: 0.3 })).body.results;
  const found = async (query: string, title: string) =>
    waitFor(async () => (await ask(query))[0]?.document.title === title, { what: `${title} is found`, timeoutMs: WAIT_MS });
  const settled = () =>
    waitFor(
      async () => {
        const { rows } = await sql.query<{ open: boolean }>(
          `SELECT EXISTS (SELECT 1 FROM documents WHERE chunked_version IS DISTINCT FROM version)
             OR EXISTS (SELECT 1 FROM index_ledger WHERE state = 'pending') AS open`,
        );
        return !rows[0]!.open;
      },
      { what: 'nothing to do', timeoutMs: 3 * WAIT_MS },
    );
  const countVectors = async () => Number((await sql.query<{ count: string }>('SELECT count(*) FROM embedding_cache')).rows[0]!.count);

  it('waits for the index when asked to, and finds what was written', async () => {
    const { status, body } = await server.call<Written>('POST', `/api/v1/documents?wait_for_index_ms=${WAIT_MS}`, FAQ);
    expect([status, body.index_state]).toEqual([201, 'synced']);
    expect((await ask('hard timber for steps'))[0]).toMatchObject({ document: { id: body.id }, chunk: { text: FAQ.content } });
    const patched = await server.call<Written>('PATCH', `/api/v1/documents/${body.id}?wait_for_index_ms=${WAIT_MS}`, {
      title: 'Roofs',
      content: 'Larch shingles keep a steep roof dry.',
    });
    expect(patched.body.index_state).toBe('synced');
    expect((await ask('what covers a roof?'))[0]).toMatchObject({ document: { title: 'Roofs' } });
    expect((await server.call('DELETE', `/api/v1/documents/${body.id}`)).status).toBe(204);
    expect(await ask('what covers a roof?')).toEqual([]);
  });

  it('finds what plain SQL wrote, changed and deleted', async () => {
    await sql.query(
      `INSERT INTO documents (collection_id, title, content) SELECT id, 'Windows', 'Three panes of glass keep the warmth inside.' FROM collections WHERE name = 'faq'`,
    );
    await found('insulating glazing', 'Windows');
    await sql.query(
      `UPDATE documents SET title = 'Kitchens', content = 'A worktop stands ninety centimetres high.' WHERE title = 'Windows'`,
    );
    await found('height of a kitchen counter', 'Kitchens');
    await sql.query(`DELETE FROM documents WHERE title = 'Kitchens'`);
    expect(await ask('height of a kitchen counter')).toEqual([]);
    await settled();
    expect((await sql.query('SELECT 1 FROM chunks')).rowCount).toBe(0);
  });

  it(`embeds at most ${EMBEDDINGS_PER_EDIT} chunks of ${CHUNKS} for an edit of one sentence, and none for the same again`, async () => {
    const sentence = (paragraph: number, place: number) =>
      `Board ${paragraph * 7 + place} of stack ${paragraph} is ${place + 3} centimetres wide and lies dry.`;
    const paragraphs = Array.from({ length: CHUNKS }, (_, paragraph) =>
      Array.from({ length: 6 }, (_, place) => sentence(paragraph, place)).join(' '),
    );
    const write = async (content: string) => {
      const documents = [{ collection: 'faq', external_id: 'stock', title: 'Stock', content }];
      expect((await server.call<{ failed: number }>('POST', '/api/v1/documents/batch', { documents })).body.failed).toBe(0);
      await settled();
    };
    await write(paragraphs.join('\n\n'));
    const before = await countVectors();
    expect((await sql.query('SELECT 1 FROM chunks')).rowCount).toBeGreaterThanOrEqual(CHUNKS);
    await write(paragraphs.join('\n\n'));
    expect(await countVectors()).toBe(before);
    await write(paragraphs.join('\n\n').replace('of stack 50 is 5 centimetres', 'of stack 50 is fifty-five and a half centimetres'));
    const embedded = (await countVectors()) - before;
    expect(embedded).toBeGreaterThan(0);
    expect(embedded).toBeLessThanOrEqual(EMBEDDINGS_PER_EDIT);
  }, 120_000);

  it('goes on after kill -9 where it was', async () => {
    await sql.query(
      `INSERT INTO documents (collection_id, title, content) SELECT id, 'Glue ' || n, 'Glue number ' || n || ' sets in ' || n || ' hours.' FROM collections, generate_series(1, 40) n WHERE name = 'faq'`,
    );
    await server.end('SIGKILL');
    await sql.end().catch(() => undefined);
    await start();
    await settled();
    expect((await sql.query(`SELECT 1 FROM chunks c JOIN documents d ON d.id = c.document_id WHERE d.title LIKE 'Glue %'`)).rowCount).toBe(
      40,
    );
    const certificate = await server.call<{ decision: string }>('POST', '/api/v1/admin/reconcile', { source: 'documents' });
    expect(certificate.status).toBe(202);
    await waitFor(
      async () => {
        const latest = await server.call<{ decision: string }>('GET', '/api/v1/admin/certificates/latest?source=documents');
        return latest.status === 200 && latest.body.decision === 'clean';
      },
      { what: 'a clean certificate', timeoutMs: WAIT_MS },
    );
  }, 120_000);

  it('cuts anew by the tokens of the model that begins to serve', async () => {
    const read = async () =>
      (await sql.query<{ count: number; longest: number }>('SELECT count(*)::int AS count, max(length(text)) AS longest FROM chunks'))
        .rows[0]!;
    const before = await read();
    const { body } = await server.call<{ id: number }>('POST', '/api/v1/admin/generations', {
      source: 'documents',
      embedder: { max_tokens: 48 },
      reason: 'a test',
    });
    await waitFor(async () => (await server.call('POST', `/api/v1/admin/generations/${body.id}/switch`, {})).status === 200, {
      what: 'the other generation serves',
      timeoutMs: 6 * WAIT_MS,
    });
    await waitFor(async () => (await read()).longest < before.longest / 2, { what: 'all chunks are shorter', timeoutMs: 3 * WAIT_MS });
    await settled();
    expect((await read()).count).toBeGreaterThan(before.count);
    expect((await ask('which board is how wide?')).length).toBeGreaterThan(0);
  }, 120_000);
});
