import fc from 'fast-check';
import { buildOpenApiDocument } from '../src/http/openapi-document.js';
import { Chain, type Resource } from './fuzz/chain.js';
import { chainsOfSteps } from './fuzz/chain-steps.js';
import { Contract } from './fuzz/contract.js';
import { PROJECT_BODY, startHttp, type HttpHarness } from './http-harness.js';

/** As of the other requests of the fuzz: `CONTRACT_FUZZ_RUNS=2000` asks more, `CONTRACT_FUZZ_SEED` draws others. */
const RUNS = Number(process.env['CONTRACT_FUZZ_RUNS'] ?? 200);
const SEED = Number(process.env['CONTRACT_FUZZ_SEED'] ?? 20261126);
const TIMEOUT_MS = 30_000 + RUNS * 300;

const RESOURCES: readonly Resource[] = [
  {
    path: '/api/v1/projects',
    operations: {
      create: 'createProject',
      read: 'getProject',
      replace: 'replaceProject',
      change: 'patchProject',
      remove: 'deleteProject',
      removeMany: 'deleteProjects',
      status: 'getProjectIndexStatus',
      list: 'listProjects',
    },
    textField: 'name',
    rest: PROJECT_BODY,
  },
  {
    path: '/api/v1/documents',
    operations: {
      create: 'createDocument',
      read: 'getDocument',
      replace: 'replaceDocument',
      change: 'patchDocument',
      remove: 'deleteDocument',
      removeMany: 'deleteDocuments',
      status: 'getDocumentIndexStatus',
      list: 'listDocuments',
    },
    textField: 'title',
    rest: { collection: 'faq', content: 'Oak is oiled twice.' },
  },
];
/** What a chain brings about again and again; that none of it is missing shows that the chains are not idle. */
const MET: readonly (readonly [kind: keyof Resource['operations'], statuses: readonly number[]])[] = [
  ['create', [201, 409, 422]],
  ['read', [200, 304, 404]],
  ['replace', [200, 404, 409, 412]],
  ['change', [200, 404, 409, 412]],
  ['remove', [202, 204, 404, 412]],
  ['removeMany', [200]],
  ['status', [200, 404]],
  ['list', [200]],
];

describe(`contract, ${RUNS} chains of calls, seed ${SEED}`, () => {
  let http: HttpHarness;
  let contract: Contract;
  beforeAll(async () => {
    http = await startHttp();
    contract = new Contract(JSON.parse(JSON.stringify(buildOpenApiDocument(http.app))) as { paths: object });
    expect((await http.send('POST', '/api/v1/collections', { payload: { name: 'faq' } })).status).toBe(201);
  });
  afterAll(() => http.close());

  it.each(RESOURCES)(
    'of $path are answered as what came before says',
    async (resource) => {
      await fc.assert(
        fc.asyncProperty(chainsOfSteps, (steps) => new Chain(http, contract, resource).run(steps)),
        { seed: SEED, numRuns: Math.ceil(RUNS / RESOURCES.length) },
      );
      for (const [kind, statuses] of MET) {
        const operationId = resource.operations[kind];
        const unmet = statuses.filter((status) => !contract.hasSeen(operationId, status));
        expect([operationId, unmet]).toEqual([operationId, []]);
      }
    },
    TIMEOUT_MS,
  );
});
