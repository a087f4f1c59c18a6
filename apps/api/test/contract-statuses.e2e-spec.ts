import { DomainError, type ErrorCode } from '#kernel';
import { HealthMonitor } from '#health';
import { AccessHook, SCOPES } from '#security';
import { SyncReadiness } from '#sync';
import { VectorStoreError } from '#vector-store';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { setContractStage, type ContractStage } from './contract-stage.js';
import type { Contract } from './fuzz/contract.js';
import { KnownThings } from './fuzz/known-things.js';
import { DOCUMENT_BODY, rowCases } from './fuzz/row-cases.js';
import { validRequests, type FuzzRequest, type Operation } from './fuzz/operations.js';
import { PROJECT_BODY, type HttpHarness, type Json, type Reply } from './http-harness.js';
import { BOOTSTRAP, type KeyedStage } from './keyed-stage.js';

const SEED = Number(process.env['CONTRACT_FUZZ_SEED'] ?? 20261126);
/** Of each operation, until all was seen that a request alone can bring about. */
const SAMPLES = 100;
const MISSING_ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';
const MISSING_GENERATION = '999';
/** More than are let in whatever they wait. */
const HELD_SEARCHES = 12;
const SEARCHES: ReadonlySet<string> = new Set(['findSimilar', 'batchSimilar', 'findProjectsLike', 'query', 'queryAlias']);
/** Paths of what is nothing but rows. */
const ROWS = /^\/api\/v1\/(projects|documents|collections|jobs|erasures)/;
const BODY_MAXIMUM_BYTES = 1_048_576;
/** What no request brings about that is as the document wants it. */
const NEEDS_MORE: ReadonlySet<string> = new Set(['400', '401', '403', '406', '413', '415', '429', '500', '503']);
const KEY = { authorization: `Bearer ${BOOTSTRAP}` };

const FILE = '{"name":"a","description":"b"}\n';
/** Everything that takes an Idempotency-Key: a request, and another one. */
const CREATIONS: readonly (readonly [
  operationId: string,
  url: string,
  payload: unknown,
  other: Readonly<{ url?: string; payload?: unknown }>,
])[] = [
  ['createProject', '/api/v1/projects', PROJECT_BODY, { payload: { ...PROJECT_BODY, complexity: 3 } }],
  ['createCollection', '/api/v1/collections', { name: 'one' }, { payload: { name: 'other' } }],
  [
    'createDocument',
    '/api/v1/documents',
    { collection: 'faq', title: 'a', content: 'b' },
    { payload: { collection: 'faq', title: 'c', content: 'd' } },
  ],
  [
    'upsertDocuments',
    '/api/v1/documents/batch',
    { documents: [{ collection: 'faq', title: 'a', content: 'b' }] },
    { payload: { documents: [{ collection: 'faq', title: 'c', content: 'd' }] } },
  ],
  ['importProjects', '/api/v1/projects/import', FILE, { payload: FILE + FILE }],
  ['importDocuments', '/api/v1/documents/import?collection=faq', FILE, { payload: FILE + FILE }],
  ['reconcile', '/api/v1/admin/reconcile', {}, { payload: { source: 'projects' } }],
  ['createGeneration', '/api/v1/admin/generations', { source: 'projects' }, { payload: { source: 'projects', reason: 'other' } }],
  ['startGate', '/api/v1/admin/generations/1/gate', {}, { payload: { force: true } }],
  ['runSchedule', '/api/v1/admin/schedules/statistics/run', {}, { url: '/api/v1/admin/schedules/reconcile/run' }],
];

/** A key that may do everything but what that scope is for. */
const OTHER_SCOPES: Readonly<Record<string, readonly string[]>> = {
  read: ['admin'],
  write: ['read', 'admin'],
  'admin:read': ['write'],
  admin: ['write', 'admin:read'],
};

describe('contract: every status of every operation', () => {
  let set: ContractStage;
  let stage: KeyedStage;
  let http: HttpHarness;
  let contract: Contract;
  let things: KnownThings;
  let guarded: Operation[];
  let open: Operation[];

  beforeAll(async () => {
    set = await setContractStage({
      RATE_LIMIT_PER_MINUTE: '0',
      RATE_LIMIT_ADDRESS_PER_MINUTE: '0',
      REQUIRE_IF_MATCH: 'true',
      OVERLOAD_WAIT_MS: '1',
    });
    ({ stage, contract } = set);
    ({ http } = stage);
    things = new KnownThings(http, KEY);
    guarded = contract.operations.filter((operation) => operation['x-required-scope'] !== 'public');
    open = contract.operations.filter((operation) => operation['x-required-scope'] === 'public');
  });
  afterAll(() => set.close());

  /** Names something that does not exist. */
  const urlOf = ({ path }: Operation): string =>
    path.replaceAll(/\{\w+\}/g, path.includes('generations') ? MISSING_GENERATION : path.includes('keys') ? '0a1b2c3d4e5f' : MISSING_ID);

  const ask = async (operation: Operation, key: string | null, options: Json = {}, mayFail = false): Promise<Reply> => {
    const payload = operation.requestBody === undefined ? {} : { payload: { nonsense: true } };
    const reply = await stage.as(key, operation.method, options.url ?? urlOf(operation), { ...payload, ...stage.elsewhere(), ...options });
    contract.check(operation, reply, { mayFail });
    return reply;
  };

  const send = async (operation: Operation, { method, url, headers, payload }: FuzzRequest, mayFail = false): Promise<Reply> => {
    const reply = await http.send(method, url, { headers: { ...headers, ...KEY }, ...(payload === undefined ? {} : { payload }) });
    contract.check(operation, reply, { mayFail });
    return reply;
  };

  const requestsTo = (operation: Operation, numRuns = SAMPLES): FuzzRequest[] =>
    fc.sample(validRequests(operation, contract.document, things.valuesFor(operation)), { seed: SEED, numRuns });

  describe('the door', () => {
    it('refuses whoever has no key, or one that is not good, with 401', async () => {
      const made = (await stage.make({ name: 'over', scopes: [...SCOPES] })) as { id: string; key: string };
      await stage.as(BOOTSTRAP, 'DELETE', `/api/v1/admin/keys/${made.id}`);
      for (const operation of guarded) {
        const missing = await ask(operation, null);
        expect([operation.operationId, missing.status, missing.body.code]).toEqual([operation.operationId, 401, 'access.key-missing']);
        for (const wrong of ['nonsense', `${made.key}x`, made.key, BOOTSTRAP.slice(1)]) {
          const refused = await ask(operation, wrong);
          expect([operation.operationId, wrong, refused.status, refused.body.code]).toEqual([
            operation.operationId,
            wrong,
            401,
            'access.key-refused',
          ]);
        }
      }
    });

    it('refuses a key without the scope with 403', async () => {
      const keys = new Map<string, string>();
      for (const [scope, scopes] of Object.entries(OTHER_SCOPES)) keys.set(scope, (await stage.make({ name: scope, scopes })).key);
      for (const operation of guarded) {
        const { status, body } = await ask(operation, keys.get(operation['x-required-scope'])!);
        expect([operation.operationId, status, body.code]).toEqual([operation.operationId, 403, 'access.scope-missing']);
      }
    });

    it('shows a key that is for some collections nothing of others', async () => {
      for (const name of ['own', 'foreign']) await stage.as(BOOTSTRAP, 'POST', '/api/v1/collections', { payload: { name } });
      const document = { collection: 'foreign', title: 'Foreign', content: 'Only for the foreign.' };
      const { id } = (await stage.as(BOOTSTRAP, 'POST', '/api/v1/documents', { payload: document })).body as { id: string };
      const key = (await stage.make({ name: 'own', scopes: ['write', 'admin'], collections: ['own'] })).key as string;
      for (const operation of guarded) {
        const path = operation.path.replace('{collection}', 'foreign').replace('{id}', id).replace('{name}', 'statistics');
        const takesCollection = operation.parameters.some((parameter) => parameter.in === 'query' && parameter.name === 'collection');
        const payload = operation.path.endsWith('/batch') ? { documents: [document] } : document;
        const reply = await ask(operation, key, {
          url: `${path.replace(/\{\w+\}/g, MISSING_ID)}${takesCollection ? '?collection=foreign' : ''}`,
          ...(operation.requestBody === undefined ? {} : { payload }),
          headers: { 'if-match': '*' },
        });
        if (operation.operationId === 'listCollections') expect(reply.body.items.map(({ name }: Json) => name)).toEqual(['own']);
        else expect([operation.operationId, [403, 404, 422].includes(reply.status)]).toEqual([operation.operationId, true]);
      }
    });

    it('sends away a key that has used up its limit with 429, and says for how long', async () => {
      const { key } = (await stage.make({ name: 'used up', scopes: ['write', 'admin'], rate_limit_per_minute: 1 })) as { key: string };
      expect((await stage.as(key, 'GET', '/api/v1/projects')).status).toBe(200);
      for (const operation of guarded) {
        const { status, headers } = await ask(operation, key);
        expect([operation.operationId, status, Number(headers['retry-after']) > 0]).toEqual([operation.operationId, 429, true]);
      }
    });

    it('lets everybody in where no key is needed, whatever is sent as one', async () => {
      for (const operation of open) {
        const plain = await ask(operation, null, {}, true);
        expect([operation.operationId, (await ask(operation, 'nonsense', {}, true)).status]).toEqual([operation.operationId, plain.status]);
      }
    });
  });

  it('refuses what is no request to the operation with 400, 406, 413 and 415', async () => {
    for (const operation of contract.operations) {
      const { operationId, method } = operation;
      const url = urlOf(operation);
      const json = { 'content-type': 'application/json' };
      const asked: [number, Json][] = [
        [400, { url: `${url}?x=%` }],
        [415, { headers: { 'content-encoding': 'gzip' } }],
        ...(method === 'GET'
          ? []
          : ([
              [413, { payload: '{', headers: { ...json, 'content-length': String(100 * BODY_MAXIMUM_BYTES) } }],
              [415, { payload: '<p>', headers: { 'content-type': 'text/html' } }],
              [400, { payload: '{"unclosed', headers: json }],
            ] as [number, Json][])),
      ];
      for (const [wanted, options] of asked)
        expect([operationId, options, (await ask(operation, BOOTSTRAP, options)).status]).toEqual([operationId, options, wanted]);
      const picture = await ask(operation, BOOTSTRAP, { headers: { accept: 'image/png' } }, true);
      expect([operationId, picture.status === 406]).toEqual([operationId, '406' in operation.responses]);
    }
  });

  it('answers a key that was sent with another request, and while it is worked on, with 422 and 409', async () => {
    await things.refill();
    for (const [operationId, url, payload, other] of CREATIONS) {
      const operation = contract.operation(operationId);
      const [key, held] = [randomUUID(), randomUUID()];
      const post = async (idempotencyKey: string, at: string, body: unknown): Promise<Reply> => {
        const type = { 'content-type': typeof body === 'string' ? 'application/x-ndjson' : 'application/json' };
        const text = typeof body === 'string' ? body : JSON.stringify(body);
        return ask(operation, BOOTSTRAP, { url: at, payload: text, headers: { ...type, 'idempotency-key': idempotencyKey } });
      };
      expect([operationId, (await post(key, url, payload)).status < 300]).toEqual([operationId, true]);
      const second = await post(key, other.url ?? url, other.payload ?? payload);
      expect([operationId, second.status, second.body.code]).toEqual([operationId, 422, 'idempotency.other-payload']);
      const { rowCount } = await http.database.query(
        `INSERT INTO idempotency_keys (caller, route, key, fingerprint, token, claimed_until, expires_at)
         SELECT caller, route, $1, fingerprint, gen_random_uuid(), now() + interval '1 hour', expires_at FROM idempotency_keys WHERE key = $2`,
        [held, key],
      );
      expect([operationId, rowCount]).toEqual([operationId, 1]);
      const third = await post(held, url, payload);
      expect([operationId, third.status, third.body.code, third.headers['retry-after']]).toEqual([
        operationId,
        409,
        'idempotency.in-progress',
        '1',
      ]);
    }
  });

  it('says what stored rows do not allow', async () => {
    await things.refill();
    const created = async (url: string, payload: Json): Promise<Json> => (await stage.as(BOOTSTRAP, 'POST', url, { payload })).body;
    const project = await created('/api/v1/projects', { ...PROJECT_BODY, external_id: 'free' });
    const takenProject = await created('/api/v1/projects', { ...PROJECT_BODY, external_id: 'taken' });
    const document = await created('/api/v1/documents', { ...DOCUMENT_BODY, external_id: 'free' });
    const takenDocument = await created('/api/v1/documents', { ...DOCUMENT_BODY, external_id: 'taken' });
    const job = (await stage.as(BOOTSTRAP, 'GET', '/api/v1/jobs')).body.items[0];
    const key = await created('/api/v1/admin/keys', { name: 'over', scopes: ['read'] });
    await stage.as(BOOTSTRAP, 'DELETE', `/api/v1/admin/keys/${key.id}`);
    const ids = { project, takenProject, document, takenDocument, job, key };
    const cases = rowCases((name) => ids[name].id as string);
    await http.database.query(`UPDATE ingestion_jobs SET state = 'cancelled', finished_at = now() WHERE id = $1`, [job.id]);
    let erasure = '';
    for (const { operationId, status, url, options } of cases) {
      const reply = await ask(contract.operation(operationId), BOOTSTRAP, { url, payload: undefined, ...options });
      expect([operationId, url, reply.status]).toEqual([operationId, url, status]);
      erasure = reply.body?.erasure_id ?? erasure;
    }
    const { status } = await ask(contract.operation('getErasure'), BOOTSTRAP, { url: `/api/v1/erasures/${erasure}` });
    expect(status).toBe(200);
    await http.database.query(`UPDATE ingestion_jobs SET state = 'failed', finished_at = now() WHERE id = $1`, [job.id]);
    expect((await ask(contract.operation('resumeJob'), BOOTSTRAP, { url: `/api/v1/jobs/${job.id}/resume` })).status).toBe(200);
  });

  it('says what the engine does not allow', async () => {
    const { generations, reconciler, schedules, certificates } = http.admin;
    const refusals: [operationId: string, double: jest.Mock, codes: readonly ErrorCode[]][] = [
      ['reconcile', reconciler.start, ['generations.not-found', 'sync.reconciliation-running', 'generations.retired']],
      ['createGeneration', generations.create, ['generations.not-found', 'generations.conflict', 'generations.model-unusable']],
      ['rollback', generations.rollback, ['generations.not-found', 'generations.conflict', 'generations.retired']],
      ['rollbackToGeneration', generations.rollback, ['generations.not-found', 'generations.conflict', 'generations.retired']],
      ['startGate', generations.startGate, ['generations.not-found', 'generations.conflict', 'generations.retired']],
      ['switchGeneration', generations.switchTo, ['generations.not-found', 'generations.conflict', 'generations.gate-refused']],
      ['retireGeneration', generations.retire, ['generations.not-found', 'generations.conflict', 'generations.retired']],
      ['runSchedule', schedules.runNow, ['schedules.not-found', 'schedules.running']],
    ];
    for (const [operationId, double, codes] of refusals) {
      for (const code of codes) {
        double.mockRejectedValueOnce(new DomainError(code));
        const payload = operationId === 'createGeneration' ? { source: 'projects' } : {};
        const { body } = await ask(contract.operation(operationId), BOOTSTRAP, { payload });
        expect([operationId, body.code]).toEqual([operationId, code]);
      }
    }
    certificates.list.mockRejectedValueOnce(new DomainError('sync.certificate-not-found'));
    expect((await ask(contract.operation('listCertificates'), BOOTSTRAP)).status).toBe(404);
    certificates.latest.mockResolvedValueOnce(null);
    expect((await ask(contract.operation('getLatestCertificate'), BOOTSTRAP)).status).toBe(404);
  });

  it('answers requests as the document wants them with what it says for them', async () => {
    await things.refill();
    for (const operation of guarded) {
      const wanted = Object.keys(operation.responses).filter((status) => !NEEDS_MORE.has(status));
      const isSeen = (): boolean => wanted.every((status) => contract.hasSeen(operation.operationId, status));
      if (isSeen()) continue;
      for (const request of requestsTo(operation)) {
        if (isSeen()) break;
        await send(operation, request);
      }
      if (/delete|patch|replace|cancel|resume/.test(operation.operationId)) await things.refill();
    }
  });

  describe('when something is wrong', () => {
    it('answers 503 to searches that would have to wait too long, and to nothing else', async () => {
      const letGo = http.embedder.hold();
      const search = contract.operation('findSimilar');
      const underWay = Array.from({ length: HELD_SEARCHES }, (_, at) =>
        ask(search, BOOTSTRAP, { payload: { query: `held ${at}`, mode: 'vector' } }, true),
      );
      try {
        await Promise.any(underWay.map(async (one) => expect((await one).body.code).toBe('access.overloaded')));
        for (const operation of contract.operations) {
          // Their requests make no sense: the one that is let in waits for nothing.
          const replies = await Promise.all([1, 2, 3].map(() => ask(operation, BOOTSTRAP, {}, true)));
          const isShed = replies.some(({ status, body }) => status === 503 && body.code === 'access.overloaded');
          expect([operation.operationId, isShed]).toEqual([operation.operationId, SEARCHES.has(operation.operationId)]);
        }
      } finally {
        letGo();
      }
      const statuses = new Set((await Promise.all(underWay)).map(({ status }) => status));
      expect(statuses).toEqual(new Set([200, 503]));
    });

    it('answers whatever a defect is with 500, and nothing of it', async () => {
      const check = jest.spyOn(http.app.get(AccessHook), 'check').mockRejectedValue(new Error('SELECT secret FROM vault'));
      try {
        for (const operation of contract.operations) {
          const { status, body, text } = await ask(operation, BOOTSTRAP, {}, true);
          expect([operation.operationId, status, body.code]).toEqual([operation.operationId, 500, 'internal.error']);
          expect(text).not.toContain('secret');
        }
      } finally {
        check.mockRestore();
      }
    });

    it('answers probes with 200 and 503, in bodies of their own', async () => {
      const monitor = http.app.get(HealthMonitor);
      const statusesOf = async (): Promise<Json> => {
        await monitor.refreshAnew();
        const replies = await Promise.all(open.map(async (operation) => [operation.path, (await ask(operation, null, {}, true)).status]));
        return Object.fromEntries(replies);
      };
      expect(await statusesOf()).toMatchObject({ '/health/startup': 503, '/readyz': 503, '/livez': 200 });
      http.app.get(SyncReadiness).advance('ready');
      const all = Object.fromEntries(open.map(({ path }) => [path, 200]));
      expect(await statusesOf()).toEqual(all);
      const ping = jest.spyOn(http.store, 'ping').mockRejectedValue(new VectorStoreError('unavailable', 'refused'));
      expect(await statusesOf()).toEqual({ ...all, '/health/vector-store': 503, '/health/qdrant': 503 });
      ping.mockRestore();
      const failing = { '/health': 503, '/health/detailed': 503, '/health/ready': 503, '/readyz': 503 };
      await set.withoutDatabase(async () => expect(await statusesOf()).toEqual({ ...all, ...failing }));
      expect(await statusesOf()).toEqual(all);
      monitor.startDraining();
      expect(await statusesOf()).toEqual({ ...all, '/health/ready': 503, '/readyz': 503 });
    });

    it('answers 503 without PostgreSQL to every key that it would have to look up, and to whatever needs a row', async () => {
      await things.refill();
      const { key } = (await stage.make({ name: 'unknown yet', scopes: ['write', 'admin'] })) as { key: string };
      const requests = guarded.map((operation) => [operation, requestsTo(operation, ROWS.test(operation.path) ? 12 : 2)] as const);
      const [answered, failed] = [new Set<string>(), new Set<string>()];
      await set.withoutDatabase(async () => {
        for (const [operation, samples] of requests) {
          const { status, body } = await ask(operation, key, {}, true);
          expect([operation.operationId, status, body.code]).toEqual([operation.operationId, 503, 'database.unavailable']);
          for (const sample of samples) {
            const reply = await send(operation, sample, true);
            if (!ROWS.test(operation.path)) continue;
            if (reply.status < 400) answered.add(operation.operationId);
            if (reply.status !== 503) continue;
            failed.add(operation.operationId);
            break;
          }
        }
      });
      expect([...answered]).toEqual([]);
      const spared = guarded.filter(({ path, operationId }) => ROWS.test(path) && !failed.has(operationId));
      expect(spared.map(({ operationId }) => operationId)).toEqual([]);
    });
  });

  it('leaves no documented status unseen', () => {
    expect(contract.unseen()).toEqual([]);
  });
});
