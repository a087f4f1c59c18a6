import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_BODY, startHttp, type HttpHarness } from './http-harness.js';

const WRITERS = 100;
const ROUNDS = 5;
const COLLECTION = { name: 'faq' };
const DOCUMENT = { collection: 'faq', title: 'How?', content: 'So.' };

/** Every resource with versions: where it is made, and what its writes send. */
const RESOURCES = [
  { name: 'project', url: '/api/v1/projects', body: PROJECT_BODY, patch: { name: 'other' }, hasPut: true },
  { name: 'collection', url: '/api/v1/collections', body: { name: 'second' }, patch: { description: 'other' }, hasPut: false },
  { name: 'document', url: '/api/v1/documents', body: DOCUMENT, patch: { title: 'Other?' }, hasPut: true },
] as const;

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly description?: string }[];
  readonly responses: Readonly<Record<string, unknown>>;
}

describe('preconditions', () => {
  it('are documented on every write of a resource, with what they can be answered with', () => {
    const { paths } = JSON.parse(readFileSync(join(__dirname, '../../../openapi.json'), 'utf8')) as {
      paths: Record<string, Record<string, Operation>>;
    };
    const writes = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item)
        .filter(([method]) => ['put', 'patch', 'delete'].includes(method) && /^\/api\/v1\/(projects|documents|collections)\//.test(path))
        .map(([method, operation]) => ({ at: `${method} ${path}`, operation })),
    );
    expect(writes.length).toBeGreaterThanOrEqual(9);
    for (const { at, operation } of writes) {
      const ifMatch = operation.parameters?.find(({ name, in: where }) => name === 'If-Match' && where === 'header');
      expect([at, ifMatch?.description]).toEqual([at, expect.stringMatching(/412/)]);
      expect([at, Object.keys(operation.responses)]).toEqual([at, expect.arrayContaining(['412', '428'])]);
    }
  });

  describe.each([
    ['not required', {}, 200],
    ['required', { REQUIRE_IF_MATCH: 'true' }, 428],
  ])('%s', (_name, environment: Record<string, string>, blindStatus) => {
    let http: HttpHarness;
    beforeAll(async () => {
      http = await startHttp(environment);
      expect((await http.send('POST', '/api/v1/collections', { payload: COLLECTION })).status).toBe(201);
    });
    afterAll(() => http.close());

    it.each(RESOURCES)('of a $name', async ({ url, body, patch, hasPut }) => {
      const created = await http.send('POST', url, { payload: body });
      const path = `${url}/${created.body.id}`;
      const writes = [['PATCH', patch], ...(hasPut ? [['PUT', body] as const] : []), ['DELETE', undefined]] as const;
      for (const [method, payload] of writes) {
        const { etag } = (await http.send('GET', path)).headers;
        const send = (headers: Record<string, string>) => http.send(method, path, { payload, headers });
        const stale = await send({ 'if-match': '"v9999"' });
        expect([method, stale.status, stale.body.code]).toEqual([method, 412, 'request.precondition-failed']);
        // What would delete the row comes with its condition below.
        if (method !== 'DELETE' || blindStatus === 428) expect([method, (await send({})).status]).toEqual([method, blindStatus]);
        const current = blindStatus === 428 ? etag! : (await http.send('GET', path)).headers['etag']!;
        expect((await send({ 'if-match': current })).status).toBeLessThan(300);
      }
      expect((await http.send('GET', path)).status).toBe(404);
    });
  });

  describe('under many writers', () => {
    let http: HttpHarness;
    beforeAll(async () => {
      http = await startHttp();
      expect((await http.send('POST', '/api/v1/collections', { payload: COLLECTION })).status).toBe(201);
    });
    afterAll(() => http.close());

    it.each(RESOURCES)(`no change of a $name is lost: ${WRITERS} writers, ${ROUNDS} writes each`, async ({ url, body, patch }) => {
      const [field] = Object.keys(patch) as [string];
      const { id } = (await http.send('POST', url, { payload: body })).body as { id: string };
      const path = `${url}/${id}`;
      let wins = 0;
      let losses = 0;
      await Promise.all(
        Array.from({ length: WRITERS }, async (_, writer) => {
          for (let round = 0; round < ROUNDS; round++) {
            const { etag } = (await http.send('GET', path)).headers;
            const payload = { [field]: `writer ${writer} round ${round}` };
            const { status } = await http.send('PATCH', path, { payload, headers: { 'if-match': etag! } });
            if (status === 200) wins++;
            else if (status === 412) losses++;
            else throw new Error(`PATCH answered ${status}`);
          }
        }),
      );
      expect(wins + losses).toBe(WRITERS * ROUNDS);
      expect(wins).toBeGreaterThan(0);
      expect(losses).toBeGreaterThan(0);
      expect((await http.send('GET', path)).body.version).toBe(1 + wins);
    });
  });
});
