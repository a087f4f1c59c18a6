import { DomainError, type ErrorCode } from '#kernel';
import { HealthMonitor } from '#health';
import { AccessHook, SCOPES } from '#security';
import { SyncReadiness } from '#sync';
import { waitFor } from '#testing';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { setContractStage, type ContractStage } from './contract-stage.js';
import type { Contract } from './fuzz/contract.js';
import { KnownThings } from './fuzz/known-things.js';
import { validRequests, type FuzzRequest, type Operation } from './fuzz/operations.js';
import { PROJECT_BODY, type HttpHarness, type Json, type Reply } from './http-harness.js';
import { BOOTSTRAP, type KeyedStage } from './keyed-stage.js';

const SEED = 20261126;
/** Of each operation, until all was seen that a request alone can bring about. */
const SAMPLES = 40;
const MISSING_ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';
const MISSING_GENERATION = '999';
const BODY_MAXIMUM_BYTES = 1_048_576;
/** What no request brings about that is as the document wants it. */
const NEEDS_MORE: ReadonlySet<string> = new Set(['400', '401', '403', '406', '413', '415', '429', '500', '503']);
const KEY = { authorization: `Bearer ${BOOTSTRAP}` };

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

  const send = async (operation: Operation, { method, url, headers, payload }: FuzzRequest): Promise<Reply> => {
    const reply = await http.send(method, url, { headers: { ...headers, ...KEY }, ...(payload === undefined ? {} : { payload }) });
    contract.check(operation, reply);
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

  it('answers requests as the document wants them with what it says for them', async () => {
    await http.database.query(`UPDATE ingestion_jobs SET state = 'cancelled', finished_at = now() WHERE state <> 'cancelled'`);
    for (const operation of guarded) {
      const wanted = Object.keys(operation.responses).filter((status) => !NEEDS_MORE.has(status));
      await things.refill();
      for (const request of requestsTo(operation)) {
        if (wanted.every((status) => contract.hasSeen(operation.operationId, status))) break;
        await send(operation, request);
      }
    }
  });

  it('leaves no documented status unseen', () => {
    expect(contract.unseen()).toEqual([]);
  });
});
void [DomainError, HealthMonitor, AccessHook, SyncReadiness, waitFor, randomUUID, PROJECT_BODY] as unknown as ErrorCode;
