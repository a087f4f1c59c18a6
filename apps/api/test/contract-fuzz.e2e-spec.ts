import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildOpenApiDocument } from '../src/http/openapi-document.js';
import { Contract } from './fuzz/contract.js';
import { KnownThings } from './fuzz/known-things.js';
import { invalidRequests, operationsOf, validRequests, type FuzzRequest } from './fuzz/operations.js';
import { startHttp, type HttpHarness, type Reply } from './http-harness.js';

/** `CONTRACT_FUZZ_RUNS=2000` asks more of every operation; `CONTRACT_FUZZ_SEED` repeats a run, or draws another. Half of the requests are valid, half are not. */
const RUNS = Number(process.env['CONTRACT_FUZZ_RUNS'] ?? 200);
const SEED = Number(process.env['CONTRACT_FUZZ_SEED'] ?? 20261126);
/** The fifteen minutes of a whole run go to many operations; a single one takes seconds. */
const TIMEOUT_MS = 30_000 + RUNS * 100;

/** Nothing in this house makes them succeed: a stream that would not end, a job that has not failed, a row that was not erased. */
const NEVER_OK: ReadonlySet<string> = new Set(['followJob', 'resumeJob', 'getErasure']);

/** Each answer holds all that the requests before have left behind. */
const COSTLY: ReadonlySet<string> = new Set(['exportAudit']);

describe(`contract, ${RUNS} requests to each operation, seed ${SEED}`, () => {
  let http: HttpHarness;
  let contract: Contract;
  let things: KnownThings;

  beforeAll(async () => {
    http = await startHttp({ RATE_LIMIT_PER_MINUTE: '0', RATE_LIMIT_ADDRESS_PER_MINUTE: '0' });
    contract = new Contract(JSON.parse(JSON.stringify(buildOpenApiDocument(http.app))) as { paths: object });
    things = new KnownThings(http);
  });
  afterAll(() => http.close());

  async function ask({ method, url, headers, payload }: FuzzRequest): Promise<Reply> {
    return http.send(method, url, { headers, ...(payload === undefined ? {} : { payload }) });
  }

  async function fuzz(operationId: string): Promise<void> {
    const operation = contract.operation(operationId);
    await things.refill();
    const known = things.valuesFor(operation);
    const statuses = new Map<number, number>();
    const options = { seed: SEED, numRuns: Math.ceil(RUNS / (COSTLY.has(operationId) ? 20 : 2)) };
    await fc.assert(
      fc.asyncProperty(validRequests(operation, contract.document, known), async (request) => {
        const reply = await ask(request);
        statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
        contract.check(operation, reply);
      }),
      options,
    );
    await things.refill();
    await fc.assert(
      fc.asyncProperty(invalidRequests(operation, contract.document, known), async (request) => {
        const reply = await ask(request);
        contract.check(operation, reply);
        if (reply.status < 400) throw new Error(`${operationId} accepted with ${reply.status} what the document forbids`);
      }),
      options,
    );
    const succeeded = [...statuses.keys()].some((status) => status < 300);
    if (!succeeded && !NEVER_OK.has(operationId)) throw new Error(`no valid request succeeded: ${JSON.stringify([...statuses])}`);
  }

  it('the routes that live are the routes of the document', () => {
    const documented = contract.operations.map(({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`);
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
