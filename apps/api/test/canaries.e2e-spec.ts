import { createTestDatabase, ServerProcess, type TestDatabase } from '#testing';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { operationsOf } from './fuzz/operations.js';

const ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';
/** A secret that occurs nowhere else, of the form of a key. */
const canary = (name: string): string => `canary-${name}-5d1e0c7f9b3a4e62-x`;
const BOOTSTRAP = canary('bootstrap');
const PEPPER = canary('pepper');
const OPENAI = canary('openai');
const CALLERS = Array.from({ length: 50 }, (_, n) => canary(`caller-${n}`));

describe('secrets', () => {
  let database: TestDatabase;
  let server: ServerProcess;
  let password: string;
  const dataDir = mkdtempSync(join(tmpdir(), 'kindred-canaries-'));
  const bodies: string[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    password = decodeURIComponent(new URL(database.url).password);
    server = await ServerProcess.start(
      {
        DATABASE_URL: database.url,
        DATA_DIR: dataDir,
        AUTH: 'required',
        KINDRED_BOOTSTRAP_KEY: BOOTSTRAP,
        API_KEY_PEPPER: PEPPER,
        OPENAI_API_KEY: OPENAI,
        OPENAI_GENERATION_MODEL: 'writer',
        // Nobody listens there.
        OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
        LOG_LEVEL: 'trace',
      },
      { preloads: ['fake-embedder'] },
    );
  });
  afterAll(async () => {
    await server.end('SIGTERM');
    await database.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function ask(method: string, path: string, headers: Record<string, string>, body?: string): Promise<void> {
    const reply = await fetch(server.url + path, {
      method,
      headers: { ...headers, connection: 'close' },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(20_000),
    });
    bodies.push(`${method} ${path} ${JSON.stringify([...reply.headers])} ${path.includes('/events') ? '' : await reply.text()}`);
  }

  it('of 50 callers and of the configuration are in no log, no reply, no header and no metric', async () => {
    const { paths } = JSON.parse(readFileSync(join(__dirname, '../../../openapi.json'), 'utf8')) as { paths: object };
    const json = { 'content-type': 'application/json' };
    let next = 0;
    const caller = (): string => CALLERS[next++ % CALLERS.length]!;
    for (const { method, path } of operationsOf({ paths })) {
      const url = path.replaceAll(/\{\w+\}/g, ID);
      const body = method === 'GET' || method === 'DELETE' ? undefined : '{"broken":';
      await ask(method, url, { ...json, authorization: `Bearer ${caller()}` }, body);
      await ask(method, url, { ...json, 'x-api-key': caller() }, body);
      await ask(method, url, { ...json, authorization: `Bearer ${BOOTSTRAP}` }, body);
    }
    // The service that writes answers does not answer; and a request that is none carries a key as well.
    await ask('POST', '/api/chat/message', { ...json, authorization: `Bearer ${BOOTSTRAP}` }, '{"message":"How?"}');
    for (const secret of CALLERS)
      bodies.push(await raw(`GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secret}\r\nBad Header\r\n\r\n`));
    await ask('GET', '/metrics', { authorization: `Bearer ${BOOTSTRAP}` });

    expect(bodies.length).toBeGreaterThan(250);
    // The one good key was let in, so that routes had something to say.
    expect(bodies.at(-1)).toContain('kindred_http_request_duration_seconds');
    const everything = [...bodies, ...server.output].join('\n');
    const leaked = [password, BOOTSTRAP, PEPPER, OPENAI, ...CALLERS].filter((secret) => everything.includes(secret));
    expect(leaked).toEqual([]);
    // What stands in the database is no secret of its own.
    const { rows } = await database.query<{ text: string }>(`SELECT query_to_xml('SELECT * FROM api_keys', true, true, '')::text AS text`);
    expect([BOOTSTRAP, PEPPER, ...CALLERS].filter((secret) => rows[0]!.text.includes(secret))).toEqual([]);
  }, 120_000);

  it('are in no message of a start that fails', async () => {
    const failed = ServerProcess.launch({
      DATA_DIR: join(dataDir, 'other'),
      DATABASE_URL: `mysql://kindred:${canary('database')}@db/kindred`,
      QDRANT_URL: 'http://qdrant:6333',
      QDRANT_API_KEY: canary('qdrant'),
      KINDRED_BOOTSTRAP_KEY: `${canary('bootstrap-2')} with a space`,
    });
    expect(await failed.ended).toBe(1);
    const text = failed.output.join('\n');
    for (const variable of ['DATABASE_URL', 'QDRANT_URL', 'KINDRED_BOOTSTRAP_KEY']) expect(text).toContain(variable);
    expect(text).not.toContain('canary-');
  });

  const raw = (bytes: string) =>
    new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(bytes));
      socket
        .setEncoding('utf8')
        .on('data', (chunk) => (text += String(chunk)))
        .on('error', () => undefined)
        .on('close', () => resolve(text));
    });
});
