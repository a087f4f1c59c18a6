import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildOpenApiDocument } from '../src/http/openapi-document.js';
import { invalidRequests, operationsOf, validRequests, type FuzzRequest, type Operation } from './fuzz/operations.js';
import type { KnownValues } from './fuzz/valid-values.js';
import { PROJECT_BODY, startHttp, type HttpHarness, type Reply } from './http-harness.js';
import { conformsTo } from './json-schema.js';

/** `CONTRACT_FUZZ_RUNS=2000` asks more of every operation; `CONTRACT_FUZZ_SEED` repeats a run, or draws another. Half of the requests are valid, half are not. */
const RUNS = Number(process.env['CONTRACT_FUZZ_RUNS'] ?? 200);
const SEED = Number(process.env['CONTRACT_FUZZ_SEED'] ?? 20261126);
const CERTIFICATE_ID = '0197a6b2-7d20-7f4e-8a6b-1c2d3e4f5a6b';
/** The fifteen minutes of a whole run go to many operations; a single one takes seconds. */
const TIMEOUT_MS = 30_000 + RUNS * 100;

/** Nothing in this house makes them succeed: a stream that would not end, a job that has not failed, a row that was not erased. */
const NEVER_OK: ReadonlySet<string> = new Set(['followJob', 'resumeJob', 'getErasure']);

/** Each answer holds all that the requests before have left behind. */
const COSTLY: ReadonlySet<string> = new Set(['exportAudit']);

describe(`contract, ${RUNS} requests to each operation, seed ${SEED}`, () => {
  let http: HttpHarness;
  let document: ReturnType<typeof buildOpenApiDocument>;
  let operations: Operation[];
  const pool: Record<string, string[]> = {};

  beforeAll(async () => {
    http = await startHttp({ RATE_LIMIT_PER_MINUTE: '0', RATE_LIMIT_ADDRESS_PER_MINUTE: '0' });
    document = JSON.parse(JSON.stringify(buildOpenApiDocument(http.app))) as typeof document;
    operations = operationsOf(document);
  });
  afterAll(() => http.close());

  const made = async (url: string, payload: unknown, headers: Record<string, string> = {}): Promise<string> => {
    const { status, body, text } = await http.send('POST', url, { payload: payload as object, headers });
    if (status >= 300 && status !== 409) throw new Error(`POST ${url} answered ${status}: ${text}`);
    return body.id ?? body.conversation_id ?? '';
  };

  /** Things that exist, anew for each operation: the one before may have deleted them. */
  async function refill(): Promise<void> {
    await http.database.query(`UPDATE ingestion_jobs SET state = 'cancelled', finished_at = now() WHERE state <> 'cancelled'`);
    await made('/api/v1/collections', { name: 'faq' });
    const document = { collection: 'faq', title: 'How?', content: 'So.' };
    pool['project'] = [await made('/api/v1/projects', PROJECT_BODY), await made('/api/v1/projects', PROJECT_BODY)];
    pool['document'] = [await made('/api/v1/documents', document), await made('/api/v1/documents', document)];
    pool['job'] = [await made('/api/v1/projects/import', '{"name":"a"}\n', { 'content-type': 'application/x-ndjson' })];
    pool['conversation'] = [await made('/api/chat/message', { message: 'How?' })];
    pool['key'] = [await made('/api/v1/admin/keys', { name: 'fuzz', scopes: ['read'] })];
  }

  function knownFor({ path, operationId }: Operation): KnownValues {
    const kind = /projects\/\{id\}/.test(path)
      ? 'project'
      : /documents\/\{id\}/.test(path)
        ? 'document'
        : /jobs\/\{id\}/.test(path)
          ? 'job'
          : /conversations\/\{id\}/.test(path)
            ? 'conversation'
            : /keys\/\{id\}/.test(path)
              ? 'key'
              : null;
    const existing = kind === null || operationId === 'followJob' ? [] : pool[kind]!;
    const ids = path.includes('generations')
      ? fc.integer({ min: 1, max: 12 })
      : fc.oneof(fc.constantFrom(...existing, CERTIFICATE_ID), fc.uuid());
    const tags = fc.constantFrom('"v1"', '"v2"', '*', 'W/"v1"', '"v9", "v1"');
    return {
      id: ids,
      ids: fc.array(
        fc.oneof(fc.constantFrom(...(pool[path.includes('documents') ? 'document' : 'project'] ?? []), CERTIFICATE_ID), fc.uuid()),
        {
          minLength: 1,
          maxLength: 4,
        },
      ),
      collection: fc.constantFrom('faq', 'faq', 'other'),
      source: fc.constantFrom('projects', 'nowhere'),
      generation: fc.integer({ min: 1, max: 12 }),
      [`${operationId}.name`]: /schedules/.test(path)
        ? fc.constantFrom('statistics', 'reconcile')
        : fc.string({ minLength: 1, maxLength: 20 }),
      conversation_id: fc.constantFrom(...(pool['conversation'] ?? [])),
      // What waits would only make the test slow.
      wait_for_index_ms: fc.integer({ min: 0, max: 3 }),
      wait_ms: fc.integer({ min: 0, max: 3 }),
      cursor: fc.constant(undefined),
      consistency_token: fc.constant(undefined),
      'X-Kindred-Token': fc.constant(undefined),
      'If-Match': tags,
      'If-None-Match': tags,
    };
  }

  async function ask({ method, url, headers, payload }: FuzzRequest): Promise<Reply> {
    return http.send(method, url, { headers, ...(payload === undefined ? {} : { payload }) });
  }

  /** Nothing that the document does not promise. @throws Error that names the departure */
  function check(operation: Operation, reply: Reply): void {
    const defect = (what: string) => new Error(`${operation.operationId} answered ${reply.status}: ${what}\n${reply.text.slice(0, 600)}`);
    if (reply.status >= 500) throw defect('no request may be answered so');
    const rule = operation.responses[String(reply.status)];
    if (rule === undefined) throw defect('the status is not documented');
    if (reply.headers['x-request-id'] === undefined) throw defect('it has no X-Request-Id');
    const type = (reply.headers['content-type'] ?? '').split(';')[0]!;
    if (rule.content === undefined) {
      if (reply.text !== '') throw defect('a body is not documented');
      return;
    }
    const media = rule.content[type];
    if (media === undefined) throw defect(`the content type ${type} is not documented`);
    if (reply.body === undefined) return;
    const departures = conformsTo(media.schema, reply.body, document);
    if (departures.length > 0) throw defect(departures.slice(0, 5).join('; '));
  }

  async function fuzz(operationId: string): Promise<void> {
    const operation = operations.find((one) => one.operationId === operationId)!;
    await refill();
    const known = knownFor(operation);
    const statuses = new Map<number, number>();
    const options = { seed: SEED, numRuns: Math.ceil(RUNS / (COSTLY.has(operationId) ? 20 : 2)) };
    await fc.assert(
      fc.asyncProperty(validRequests(operation, document, known), async (request) => {
        const reply = await ask(request);
        statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
        check(operation, reply);
      }),
      options,
    );
    await refill();
    await fc.assert(
      fc.asyncProperty(invalidRequests(operation, document, known), async (request) => {
        const reply = await ask(request);
        check(operation, reply);
        if (reply.status < 400) throw new Error(`${operationId} accepted with ${reply.status} what the document forbids`);
      }),
      options,
    );
    const succeeded = [...statuses.keys()].some((status) => status < 300);
    if (!succeeded && !NEVER_OK.has(operationId)) throw new Error(`no valid request succeeded: ${JSON.stringify([...statuses])}`);
  }

  it('the routes that live are the routes of the document', () => {
    const documented = operations.map(({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`);
    const live = http.adapter.routes
      .routes()
      .filter(({ method, url }) => !['HEAD', 'OPTIONS'].includes(method) && !/^\/docs/.test(url))
      .map(({ method, url }) => `${method} ${url}`);
    expect([...new Set(live)].sort()).toEqual(documented.sort());
  });

  it.each(operationIds())('%s', fuzz, TIMEOUT_MS);
});

/** Of the committed document, for the names of tests must be there before anything is started. Probes and metrics are tested where they live. */
function operationIds(): string[] {
  const { paths } = JSON.parse(readFileSync(join(__dirname, '../../../openapi.json'), 'utf8')) as { paths: object };
  return operationsOf({ paths })
    .filter(({ path }) => /^\/(api|v\d+)\//.test(path) && path !== '/api/status')
    .map(({ operationId }) => operationId);
}
