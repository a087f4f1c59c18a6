import { CONSISTENCY_TOKEN_EXAMPLE, type Project } from '#projects';
import { batchReplySchema, searchReplySchema } from '#similarity';
import { decodeConsistencyToken, encodeConsistencyToken } from '#sync';
import { PROJECT_BODY, startHttp, type HttpHarness, type Json, type Reply } from './http-harness.js';

const PROJECTS = '/api/v1/projects';
const FIND = '/api/v1/similarity/find-similar';
const BATCH = '/api/v1/similarity/batch-similar';
const HEADER = 'x-kindred-token';
const UNKNOWN_ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';

const decode = (text: string) => decodeConsistencyToken(text, '/consistency_token');

/** The three ways to search, each with what a token and a wait are given by. */
const SEARCHES = ['find-similar', 'batch-similar', 'similar'] as const;
type Search = (typeof SEARCHES)[number];

interface Consistency {
  readonly header?: string;
  readonly parameters?: Record<string, unknown>;
}

describe('consistency tokens over HTTP', () => {
  let http: HttpHarness;
  let other: Project;
  beforeAll(async () => {
    http = await startHttp();
    other = await http.create();
  });
  afterAll(() => http.close());
  beforeEach(() => {
    http.directory.pending = 0;
    http.directory.exactPending = null;
    http.directory.fault = null;
    http.directory.tokenWaits.length = 0;
  });

  async function created(): Promise<{ id: string; token: string }> {
    const { headers, body } = await http.send('POST', PROJECTS, { payload: PROJECT_BODY });
    return { id: (body as Project).id, token: headers[HEADER]! };
  }

  function search(how: Search, { header, parameters = {} }: Consistency): Promise<Reply> {
    const headers = header === undefined ? {} : { [HEADER]: header };
    if (how === 'find-similar') return http.send('POST', FIND, { payload: { query: 'oak', ...parameters }, headers });
    if (how === 'batch-similar') return http.send('POST', BATCH, { payload: { queries: ['oak', 'ash'], ...parameters }, headers });
    const query = new URLSearchParams(Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)]));
    return http.send('GET', `${PROJECTS}/${other.id}/similar?${query.toString()}`, { headers });
  }

  const answersOf = (body: Json): Json[] => ('queries' in body || 'batch_time_ms' in body ? body.results : [body]);

  describe('on writes', () => {
    it('name row, generation and version', async () => {
      const { id, token } = await created();
      expect(decode(token)).toEqual({ source: 'projects', id, generationId: 1, version: 1 });
      http.directory.setEntry(id, { version: 12 });
      const payload = { ...PROJECT_BODY, name: 'x' };
      for (const [method, status, body] of [
        ['PUT', 200, payload],
        ['PATCH', 200, { name: 'y' }],
        ['PATCH', 200, {}],
        ['DELETE', 204, undefined],
      ] as const) {
        const reply = await http.send(method, `${PROJECTS}/${id}`, { payload: body });
        expect([method, reply.status, decode(reply.headers[HEADER]!)]).toEqual([
          method,
          status,
          { source: 'projects', id, generationId: 1, version: 12 },
        ]);
      }
    });

    it('are missing when the engine cannot say, and the write is answered as ever', async () => {
      http.directory.fault = new Error('down');
      const post = await http.send('POST', PROJECTS, { payload: PROJECT_BODY });
      const path = `${PROJECTS}/${post.body.id}`;
      const replies = [
        post,
        await http.send('PUT', path, { payload: PROJECT_BODY }),
        await http.send('PATCH', path, { payload: {} }),
        await http.send('DELETE', path),
      ];
      expect(replies.map(({ status }) => status)).toEqual([201, 200, 200, 204]);
      expect(replies.filter(({ headers }) => HEADER in headers)).toEqual([]);
    });

    it('are there when the waiting fails, and so is the reply', async () => {
      const waiting = jest.spyOn(http.directory, 'waitForToken').mockRejectedValue(new Error('down'));
      const { status, headers, body } = await http.send('POST', `${PROJECTS}?wait_for_index_ms=500`, { payload: PROJECT_BODY });
      expect(waiting).toHaveBeenCalledTimes(1);
      waiting.mockRestore();
      expect([status, body.index_state, headers]).toEqual([201, 'pending', expect.objectContaining({ [HEADER]: expect.any(String) })]);
    });

    it('are on no other reply', async () => {
      const { id } = await created();
      const replies = [
        await http.send('GET', `${PROJECTS}/${id}`),
        await http.send('GET', PROJECTS),
        await http.send('POST', PROJECTS, { payload: {} }),
        await http.send('PATCH', `${PROJECTS}/${UNKNOWN_ID}`, { payload: {} }),
        await http.send('DELETE', `${PROJECTS}/${UNKNOWN_ID}`),
        await http.send('PATCH', `${PROJECTS}/${id}`, { payload: {}, headers: { 'if-match': '"v9"' } }),
      ];
      expect(replies.map(({ status }) => status)).toEqual([200, 200, 400, 404, 404, 412]);
      expect(replies.filter(({ headers }) => HEADER in headers)).toEqual([]);
    });

    it.each([
      ['synced', { state: 'synced', version: 3 }],
      ['synced', { state: 'pending', version: 4, indexedVersion: 4 }],
      ['dead', { state: 'dead', version: 3 }],
      ['pending', { state: 'pending', version: 3 }],
    ] as const)('decide how waiting for the index ended: %s', async (expected, entry) => {
      const { id } = await created();
      http.directory.setEntry(id, entry);
      const { status, body } = await http.send('PATCH', `${PROJECTS}/${id}?wait_for_index_ms=500`, { payload: { name: 'x' } });
      expect([status, body.index_state, http.directory.tokenWaits]).toEqual([200, expected, [500]]);
    });
  });

  describe.each(SEARCHES)('in %s', (how) => {
    it('are nothing that a search needs', async () => {
      for (const parameters of [{}, { wait_ms: 500 }]) {
        const { status, body } = await search(how, { parameters });
        expect(status).toBe(200);
        for (const answer of answersOf(body)) expect(answer).toEqual(expect.not.objectContaining({ freshness: expect.anything() }));
      }
      expect(http.directory.tokenWaits).toEqual([]);
    });

    it('make the answer say fresh, or stale with the backlog', async () => {
      const { id, token } = await created();
      // The one that may be a second old, and the one of this moment.
      http.directory.pending = 2;
      http.directory.exactPending = 3;
      for (const given of [
        { header: token },
        { parameters: { consistency_token: token } },
        { header: token, parameters: { consistency_token: token } },
      ]) {
        http.directory.setEntry(id, { state: 'pending' });
        const stale = await search(how, given);
        http.directory.setEntry(id, { state: 'synced', indexedVersion: 1 });
        const fresh = await search(how, given);
        expect([stale.status, fresh.status]).toEqual([200, 200]);
        for (const { body } of [stale, fresh]) {
          expect((how === 'batch-similar' ? batchReplySchema : searchReplySchema).safeParse(body).error).toBeUndefined();
        }
        for (const answer of answersOf(stale.body)) expect(answer).toMatchObject({ freshness: 'stale', backlog: 3, index: { pending: 3 } });
        for (const answer of answersOf(fresh.body)) {
          expect(answer).toMatchObject({ freshness: 'fresh', index: { pending: 2 } });
          expect(answer).not.toHaveProperty('backlog');
        }
      }
    });

    it('say stale for a dead row', async () => {
      const { id, token } = await created();
      http.directory.setEntry(id, { state: 'dead' });
      const { status, body } = await search(how, { header: token, parameters: { wait_ms: 10_000 } });
      expect(status).toBe(200);
      for (const answer of answersOf(body)) expect(answer).toMatchObject({ freshness: 'stale', backlog: 0 });
    });

    it('are waited for as long as asked, by default a second', async () => {
      const { token } = await created();
      for (const parameters of [{}, { wait_ms: 0 }, { wait_ms: 10_000 }]) await search(how, { header: token, parameters });
      expect(http.directory.tokenWaits).toEqual([1_000, 0, 10_000]);
    });

    it.each([-1, 10_001, 1.5, 'x'])('refuse wait_ms %s, with and without token', async (wait) => {
      for (const header of [undefined, CONSISTENCY_TOKEN_EXAMPLE]) {
        const { status, body } = await search(how, { ...(header === undefined ? {} : { header }), parameters: { wait_ms: wait } });
        expect([status, body.code, body.errors[0].pointer]).toEqual([400, 'request.invalid', how === 'similar' ? '?wait_ms' : '/wait_ms']);
      }
    });

    const pointer = how === 'similar' ? '?consistency_token' : '/consistency_token';
    const FOREIGN = encodeConsistencyToken({ source: 'documents', id: UNKNOWN_ID, generationId: 1, version: 1 });
    const OTHER = encodeConsistencyToken({ source: 'projects', id: UNKNOWN_ID, generationId: 1, version: 2 });

    it.each([
      ['no token', 'nonsense', 'invalid-token'],
      ['an empty text', '', 'invalid-token'],
      ['a token that was cut off', CONSISTENCY_TOKEN_EXAMPLE.slice(0, -1), 'invalid-token'],
      ['two tokens', `${CONSISTENCY_TOKEN_EXAMPLE}, ${CONSISTENCY_TOKEN_EXAMPLE}`, 'invalid-token'],
      ['a very long text', 'A'.repeat(5_000), 'invalid-token'],
      ['a token of another source', FOREIGN, 'other-source'],
    ])('are refused when they are %s', async (_what, text, code) => {
      const parameter = await search(how, { parameters: { consistency_token: text } });
      expect([parameter.status, parameter.body.code]).toEqual([400, 'request.invalid']);
      expect(parameter.body.errors).toEqual([{ pointer, code, detail: expect.any(String) }]);
      const header = await search(how, { header: text });
      expect([header.status, header.body.errors]).toEqual([400, [{ pointer: `@${HEADER}`, code, detail: expect.any(String) }]]);
    });

    it('are refused when header and parameter differ', async () => {
      const { status, body } = await search(how, { header: CONSISTENCY_TOKEN_EXAMPLE, parameters: { consistency_token: OTHER } });
      expect([status, body.errors]).toEqual([400, [{ pointer, code: 'differs-from-header', detail: expect.any(String) }]]);
    });

    it('do not hide that the engine is down', async () => {
      http.directory.fault = new Error('down');
      const { status } = await search(how, { header: CONSISTENCY_TOKEN_EXAMPLE });
      expect(status).toBe(500);
    });
  });

  it('are refused as other types than text', async () => {
    for (const value of [1, null, ['a'], {}]) {
      const { status, body } = await search('find-similar', { parameters: { consistency_token: value } });
      expect([status, body.errors[0].pointer]).toEqual([400, '/consistency_token']);
    }
    const twice = await http.send('GET', `${PROJECTS}/${other.id}/similar?consistency_token=a&consistency_token=b`);
    expect([twice.status, twice.body.errors[0]]).toEqual([
      400,
      expect.objectContaining({ pointer: '?consistency_token', code: 'repeated' }),
    ]);
  });

  it('have an example that is one', () => {
    expect(decode(CONSISTENCY_TOKEN_EXAMPLE)).toEqual({ source: 'projects', id: UNKNOWN_ID, generationId: 1, version: 4711 });
  });
});
