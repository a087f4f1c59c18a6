import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { DomainError, findVectorDefect } from '#kernel';
import { describeEmbedderContract, FakeEmbeddingServer, FixedClock, SeededRandom, waitFor, type EmbeddingFault } from '#testing';
import { goodItems, malformedReply } from '../../test/malformed-reply.js';
import type { EmbedderDescriptor } from '../embedder.js';
import { OpenAiEmbedder, type OpenAiEmbedderOptions } from './openai-embedder.js';

const SEED = 20_261_126;
const KEY = 'sk-canary-7f3a-0123456789abcdef';

const DESCRIPTOR: EmbedderDescriptor = {
  provider: 'openai',
  model: 'text-embedding-3-large',
  revision: '127.0.0.1',
  dtype: 'fp32',
  dimensions: 256,
  pooling: 'provider',
  query_prefix: '',
  document_prefix: '',
  max_tokens: 512,
};

const UNAVAILABLE = { code: 'search.embedder-unavailable' };

let server: FakeEmbeddingServer;
const embedders: OpenAiEmbedder[] = [];
/** Every pause that an embedder made; none of them lasts. */
let pausesMs: number[] = [];

function build(options: Partial<OpenAiEmbedderOptions> = {}, descriptor: Partial<EmbedderDescriptor> = {}): OpenAiEmbedder {
  return new OpenAiEmbedder({
    descriptor: { ...DESCRIPTOR, ...descriptor },
    baseUrl: server.baseUrl,
    apiKey: KEY,
    asksForDimensions: true,
    timeoutMs: 10_000,
    queryTimeoutMs: 10_000,
    batchSize: 64,
    wait: (ms) => {
      pausesMs.push(ms);
      return Promise.resolve();
    },
    random: () => 0,
    ...options,
  });
}

/** One that is closed after the test. */
function make(...options: Parameters<typeof build>): OpenAiEmbedder {
  const embedder = build(...options);
  embedders.push(embedder);
  return embedder;
}

async function refusalOf(call: Promise<unknown>): Promise<DomainError> {
  const [outcome] = await Promise.allSettled([call]);
  if (outcome.status === 'fulfilled') throw new Error('It was not refused');
  expect(outcome.reason).toBeInstanceOf(DomainError);
  return outcome.reason as DomainError;
}

beforeAll(async () => {
  server = await FakeEmbeddingServer.start({ apiKey: KEY });
});

beforeEach(() => {
  pausesMs = [];
  server.requests.length = 0;
});

afterEach(async () => {
  server.behave(null);
  server.refuseWhen(() => false);
  await Promise.all(embedders.splice(0).map((embedder) => embedder.close()));
});

afterAll(async () => server.close());

describeEmbedderContract('OpenAiEmbedder', { make: () => Promise.resolve(build()), isEstimating: true });

describe('OpenAiEmbedder, its requests', () => {
  it('are those of OpenAI, with the prefix of their kind and the key', async () => {
    const embedder = make({}, { query_prefix: 'query: ', document_prefix: 'passage: ' });
    await embedder.embedDocuments(['oak \ud83d', ' ']);
    await embedder.embedQuery('  ash \n');
    expect(server.requests.map(({ path, body }) => ({ path, body }))).toEqual(
      [['passage: oak \ufffd', 'passage: .'], ['query: ash']].map((input) => ({
        path: '/v1/embeddings',
        body: { model: 'text-embedding-3-large', input, encoding_format: 'float', dimensions: 256 },
      })),
    );
    for (const { headers } of server.requests) expect(headers.authorization).toBe(`Bearer ${KEY}`);
  });

  it('name neither dimensions nor key where none is to be named', async () => {
    const open = await FakeEmbeddingServer.start({ dimensions: 8 });
    try {
      await make({ apiKey: null, asksForDimensions: false, baseUrl: open.baseUrl }, { dimensions: 8 }).embedDocuments(['oak']);
      expect(open.requests[0]!.headers).not.toHaveProperty('authorization');
      expect(open.requests[0]!.body).not.toHaveProperty('dimensions');
    } finally {
      await open.close();
    }
  });

  it('hold so many texts, tokens and components at most, equal texts once, and at most four are under way', async () => {
    const texts = Array.from({ length: 30 }, (_, i) => `text ${i}`);
    const embedder = make({ batchSize: 4 });
    const embeddings = await embedder.embedDocuments([...texts, ...texts]);
    expect(server.requests.map(({ body }) => body.input.length).sort()).toEqual([2, 4, 4, 4, 4, 4, 4, 4]);
    expect(embeddings.slice(30).map(({ vector }) => vector)).toEqual(embeddings.slice(0, 30).map(({ vector }) => vector));

    server.requests.length = 0;
    await make({}, { dimensions: 3072 }).embedDocuments(texts);
    expect(server.requests.map(({ body }) => body.input.length)).toEqual([21, 9]);

    server.requests.length = 0;
    await make({}, { max_tokens: 60_000 }).embedDocuments(['a', 'b', 'c'].map((letter) => `${letter}bcdefghij `.repeat(5_000)));
    expect(server.requests.map(({ body }) => body.input.length)).toEqual([1, 1, 1]);

    server.requests.length = 0;
    server.behave({ kind: 'hang' });
    const outcome = Promise.allSettled([make({ batchSize: 1 }).embedDocuments(texts)]);
    await waitFor(() => server.requests.length >= 4, { what: 'four requests are under way' });
    // A query waits for none of them.
    server.behave(null);
    await embedders.at(-1)!.embedQuery('a query in between');
    expect(server.requests).toHaveLength(5);
    await embedders.at(-1)!.close();
    expect(await outcome).toMatchObject([{ status: 'rejected', reason: UNAVAILABLE }]);
  });

  it('are not sent for a query that is remembered', async () => {
    const embedder = make();
    await Promise.all([embedder.embedQuery('oak'), embedder.embedQuery('oak')]);
    await embedder.embedQuery('oak');
    expect(server.requests).toHaveLength(1);
    expect(embedder.stats()).toMatchObject({ requests: 1, retries: 0, failed: 0, usedTokens: 3, cache: { hits: 1, joined: 1, misses: 1 } });
  });
});

describe('OpenAiEmbedder, when the provider fails', () => {
  const PASSING: readonly (readonly [string, EmbeddingFault, number])[] = [
    ['throttles for a second', { kind: 'status', status: 429, headers: { 'retry-after': '1' } }, 1_000],
    ['throttles until a date', { kind: 'status', status: 429, headers: { 'retry-after': 'Tue, 01 Jan 2030 00:00:02 GMT' } }, 2_000],
    ['throttles without saying for how long', { kind: 'status', status: 429 }, 200],
    ['answers 500', { kind: 'status', status: 500 }, 200],
    ['answers 503 and a time', { kind: 'status', status: 503, headers: { 'retry-after': '2' } }, 2_000],
    ['answers 408', { kind: 'status', status: 408 }, 200],
    ['cuts the connection', { kind: 'cut' }, 200],
  ];

  it.each(PASSING)('tries again when it %s', async (_, fault, pauseMs) => {
    const embedder = make({ clock: new FixedClock() });
    server.failNext(fault);
    const [embedding] = await embedder.embedDocuments(['oak']);
    expect(findVectorDefect(embedding!.vector, 256)).toBeNull();
    expect(pausesMs).toEqual([pauseMs]);
    expect(embedder.stats()).toMatchObject({ requests: 2, retries: 1, failed: 1 });
  });

  it.each(PASSING)('gives up after three tries when it always %s', async (_, fault) => {
    const embedder = make({ clock: new FixedClock() });
    server.behave(fault);
    const refusal = await refusalOf(embedder.embedDocuments(['oak']));
    expect(refusal.code).toBe('search.embedder-unavailable');
    expect(server.requests).toHaveLength(3);
    expect(pausesMs).toHaveLength(2);
    server.requests.length = 0;
    await refusalOf(embedder.embedQuery('oak'));
    expect(server.requests).toHaveLength(3);
  });

  it('passes on what it is asked to wait for, at once when that is long', async () => {
    const embedder = make();
    server.behave({ kind: 'status', status: 429, headers: { 'retry-after': '20' } });
    expect((await refusalOf(embedder.embedDocuments(['oak']))).headers).toEqual({ 'Retry-After': '20' });
    expect(server.requests).toHaveLength(1);
    expect(pausesMs).toEqual([]);
  });

  it('asks for longer and longer pauses when it is throttled without being told for how long', async () => {
    const embedder = make();
    const pauses = async (calls: number) => {
      const asked: (string | undefined)[] = [];
      for (let call = 0; call < calls; call++) asked.push((await refusalOf(embedder.embedDocuments(['oak']))).headers['Retry-After']);
      return asked;
    };
    server.behave({ kind: 'status', status: 429, code: 'insufficient_quota' });
    expect(await pauses(7)).toEqual(['1', '2', '4', '8', '16', '32', '32']);
    server.behave(null);
    await embedder.embedDocuments(['oak']);
    server.behave({ kind: 'status', status: 429 });
    expect(await pauses(1)).toEqual(['1']);
  });

  it('remembers how its last request ended, for those who ask whether the service is well', async () => {
    const embedder = make();
    const stateAfter = async (fault: EmbeddingFault | null) => {
      server.behave(fault);
      await Promise.allSettled([embedder.embedDocuments(['oak'])]);
      return embedder.state;
    };
    expect(embedder.state).toBe('healthy');
    expect(await stateAfter({ kind: 'status', status: 429, headers: { 'retry-after': '9' } })).toBe('degraded');
    expect(await stateAfter({ kind: 'status', status: 401 })).toBe('unhealthy');
    expect(await stateAfter(null)).toBe('healthy');
    expect(await stateAfter({ kind: 'status', status: 400 })).toBe('healthy');
    expect(await stateAfter({ kind: 'html' })).toBe('unhealthy');
  });

  it('says nothing about a pause when it is not throttled: then a text may be to blame', async () => {
    for (const fault of [{ kind: 'status', status: 500 }, { kind: 'status', status: 400 }, { kind: 'short' }] as const) {
      server.behave(fault);
      expect((await refusalOf(make().embedDocuments(['oak']))).headers).toEqual({});
    }
  });

  it('refuses a batch for one text, and takes the others without it', async () => {
    const embedder = make();
    server.refuseWhen((text) => text.includes('poison'));
    expect(await refusalOf(embedder.embedDocuments(['oak', 'poison', 'ash']))).toMatchObject({
      detail: expect.stringContaining('400 (invalid_input)'),
    });
    expect(server.requests).toHaveLength(1);
    await expect(embedder.embedDocuments(['oak', 'ash'])).resolves.toHaveLength(2);
  });

  it.each([
    [401, 'OPENAI_API_KEY'],
    [403, 'OPENAI_API_KEY'],
    [404, 'OPENAI_BASE_URL'],
    [400, 'does not take the texts'],
    [413, 'does not take the texts'],
    [422, 'does not take the texts'],
    [302, 'instead of 200'],
    [204, 'instead of 200'],
  ])('does not try again after %d, and says what it means', async (status, meaning) => {
    server.behave({ kind: 'status', status, headers: { location: '/elsewhere' } });
    const { detail } = await refusalOf(make().embedDocuments(['oak']));
    expect(detail).toContain(String(status));
    expect(detail).toContain(meaning);
    expect(server.requests).toHaveLength(1);
  });

  it('never repeats the key, nor what the provider says beside its code', async () => {
    const key = 'canary_key';
    const errors: DomainError[] = [await refusalOf(make({ apiKey: `${KEY}-wrong` }).embedDocuments(['oak']))];
    for (const status of [400, 401, 404, 429, 500]) {
      server.behave({ kind: 'status', status, code: key });
      errors.push(await refusalOf(make({ apiKey: key }).embedDocuments(['oak'])));
      server.behave({ kind: 'status', status, code: 'Canary: a sentence with a text' });
      errors.push(await refusalOf(make({ apiKey: key }).embedDocuments(['oak'])));
    }
    expect(errors[0]!.detail).toContain('401 (invalid_api_key)');
    for (const kind of ['cut', 'html', 'nan', 'hang'] as const) {
      server.behave({ kind });
      errors.push(await refusalOf(make({ apiKey: KEY, timeoutMs: 500 }).embedDocuments(['oak'])));
    }
    for (const error of errors) {
      const everything = `${inspect(error, { depth: 10, showHidden: true })} ${error.stack}`.toLowerCase();
      expect(everything).not.toContain('canary');
      expect(everything).not.toContain('your key ends in');
    }
  });

  it.each(['short', 'long', 'twice', 'nan', 'zero', 'wrong-dimension', 'html', 'cut'] as const)(
    'takes nothing of an answer that is %s',
    async (kind) => {
      const embedder = make();
      server.behave({ kind });
      await refusalOf(embedder.embedDocuments(['oak', 'ash']));
      if (kind !== 'twice') await refusalOf(embedder.embedQuery('oak'));
      expect(embedder.stats().cache.size).toBe(0);
      server.behave(null);
      await expect(embedder.embedQuery('oak')).resolves.toBeDefined();
    },
  );

  it(`accepts none of 200 malformed replies, and remembers nothing of them (seed ${SEED})`, async () => {
    const random = new SeededRandom(SEED);
    const embedder = make({}, { dimensions: 3 });
    for (let trial = 0; trial < 200; trial++) {
      const count = 1 + Math.floor(random.next() * 4);
      const body = malformedReply(goodItems(count, random), random);
      server.behave({ kind: 'body', body });
      const texts = Array.from({ length: count }, (_, i) => `text ${trial} ${i}`);
      const call = count === 1 ? embedder.embedQuery(texts[0]!) : embedder.embedDocuments(texts);
      const [outcome] = await Promise.allSettled([call]);
      expect([trial, body, outcome]).toEqual([trial, body, { status: 'rejected', reason: expect.objectContaining(UNAVAILABLE) }]);
    }
    expect(embedder.stats().cache.size).toBe(0);
  });

  it('puts vectors that come in another order to their texts', async () => {
    const embedder = make();
    const texts = Array.from({ length: 10 }, (_, i) => `project ${i} ${'oak '.repeat(i)}`);
    const expected = await embedder.embedDocuments(texts);
    server.behave({ kind: 'shuffled' });
    await expect(embedder.embedDocuments(texts)).resolves.toEqual(expected);
  });

  it('does not read an answer that is longer than any proper one', async () => {
    const embedder = make();
    server.behave({ kind: 'body', body: `{"data":[${' '.repeat(5_000_000)}]}` });
    await expect(refusalOf(embedder.embedDocuments(['oak']))).resolves.toMatchObject({ detail: expect.stringContaining('longer than') });
  });

  it('waits no longer than it may, for a try and for a query with all its tries', async () => {
    server.behave({ kind: 'hang' });
    const documents = refusalOf(make({ timeoutMs: 500 }).embedDocuments(['oak']));
    await expect(documents).resolves.toMatchObject({ detail: expect.stringContaining('within 500 ms') });
    expect(server.requests).toHaveLength(3);
    server.requests.length = 0;
    await refusalOf(make({ queryTimeoutMs: 500 }).embedQuery('oak'));
    expect(server.requests).toHaveLength(1);
  });

  it('says that nobody listens', async () => {
    const port = await freePort();
    const refusal = await refusalOf(make({ baseUrl: `http://127.0.0.1:${port}/v1` }).embedDocuments(['oak']));
    expect(refusal.detail).toBe('The embedding provider did not answer or cut the connection');
  });
});

describe('OpenAiEmbedder, when it is called off', () => {
  const reason = new Error('the caller has left');

  it.each([
    ['documents', (embedder: OpenAiEmbedder, signal: AbortSignal) => embedder.embedDocuments(['oak'], { signal })],
    ['a query', (embedder: OpenAiEmbedder, signal: AbortSignal) => embedder.embedQuery('oak', { signal })],
  ])('cuts the request with %s that is under way', async (_, call) => {
    server.behave({ kind: 'hang' });
    const controller = new AbortController();
    const outcome = Promise.allSettled([call(make({ timeoutMs: 60_000, queryTimeoutMs: 60_000 }), controller.signal)]);
    await waitFor(() => server.requests.length === 1, { what: 'the request is under way' });
    const before = server.abandoned;
    controller.abort(reason);
    expect(await outcome).toEqual([{ status: 'rejected', reason }]);
    await waitFor(() => server.abandoned === before + 1, { what: 'the connection is cut' });
    expect(server.requests).toHaveLength(1);
  });

  it('sends nothing more for a call, and cuts what is under way, when one request of it has failed', async () => {
    server.behave({ kind: 'hang' });
    server.failNext({ kind: 'hang' }, { kind: 'hang' }, { kind: 'status', status: 401 });
    const before = server.abandoned;
    await refusalOf(make({ batchSize: 1, timeoutMs: 60_000 }).embedDocuments(['a', 'b', 'c', 'd', 'e', 'f']));
    await waitFor(() => server.abandoned === before + 3, { what: 'the other connections are cut' });
    expect(server.requests).toHaveLength(4);
  });

  it('ends a pause, too', async () => {
    server.behave({ kind: 'status', status: 429, headers: { 'retry-after': '2' } });
    const controller = new AbortController();
    const embedder = make({ wait: undefined });
    const outcome = Promise.allSettled([embedder.embedDocuments(['oak'], { signal: controller.signal })]);
    await waitFor(() => embedder.stats().retries === 1, { what: 'it pauses' });
    controller.abort(reason);
    expect(await outcome).toEqual([{ status: 'rejected', reason }]);
  });
});

async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as { port: number };
  await new Promise((resolve) => listener.close(resolve));
  return port;
}
