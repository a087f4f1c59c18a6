import { inspect } from 'node:util';
import { FakeGenerationServer, waitFor, type GenerationFault } from '#testing';
import { GeneratorError } from './generator-error.js';
import { OpenAiTextGenerator, type OpenAiTextGeneratorOptions } from './openai-text-generator.js';

const KEY = 'sk-canary-7f3a-0123456789abcdef';
const ANSWER = 'Oak is hard and durable [1]. It is oiled twice a year [2].';
const MESSAGES = [
  { role: 'system', content: 'Answer.' },
  { role: 'user', content: 'Which wood is hard?' },
] as const;
const NEVER = new AbortController().signal;

let server: FakeGenerationServer;
let pausesMs: number[];

beforeAll(async () => {
  server = await FakeGenerationServer.start({ apiKey: KEY });
});
beforeEach(() => {
  server.reset();
  pausesMs = [];
});
afterAll(() => server.close());

const make = (options: Partial<OpenAiTextGeneratorOptions> = {}) =>
  new OpenAiTextGenerator({
    baseUrl: server.baseUrl,
    apiKey: KEY,
    model: 'test-writer',
    maxTokens: 300,
    timeoutMs: 10_000,
    clock: { now: () => new Date('2030-01-01T00:00:00Z'), monotonicMs: () => 0 },
    wait: (ms) => {
      pausesMs.push(ms);
      return Promise.resolve();
    },
    random: () => 0,
    ...options,
  });

/** The text, or why there is none; and the pieces that came before that. */
async function write(isStreamed: boolean, generator = make(), signal = NEVER) {
  const pieces: string[] = [];
  const onPiece = isStreamed ? (piece: string) => pieces.push(piece) : undefined;
  const [outcome] = await Promise.allSettled([generator.generate(MESSAGES, { onPiece, signal })]);
  return outcome.status === 'fulfilled'
    ? { text: outcome.value, pieces, error: null }
    : { text: null, pieces, error: outcome.reason as GeneratorError };
}

const BOTH_WAYS = [
  ['as a whole', false],
  ['in pieces', true],
] as const;

describe.each(BOTH_WAYS)('OpenAiTextGenerator, %s', (_, isStreamed) => {
  it('sends the prompt with model, limit and key, and gives the text', async () => {
    const { text } = await write(isStreamed);
    expect(text).toBe(ANSWER);
    expect(server.requests).toEqual([
      {
        path: '/v1/chat/completions',
        headers: expect.objectContaining({ authorization: `Bearer ${KEY}` }),
        body: { model: 'test-writer', messages: MESSAGES, max_tokens: 300, temperature: 0.2, ...(isStreamed && { stream: true }) },
      },
    ]);
  });

  const TRANSIENT: readonly (readonly [string, GenerationFault])[] = [
    ['throttles', { kind: 'status', status: 429, headers: { 'retry-after': '1' } }],
    ['answers 500', { kind: 'status', status: 500 }],
    ['answers 503', { kind: 'status', status: 503 }],
  ];

  it.each(TRANSIENT)('tries again when it %s, and gives up after three tries', async (_what, fault) => {
    server.failNext(fault);
    expect((await write(isStreamed)).text).toBe(ANSWER);
    expect(server.requests).toHaveLength(2);
    server.behave(fault);
    const { error } = await write(isStreamed);
    expect(error).toMatchObject({ options: { isOutage: true } });
    expect(server.requests).toHaveLength(5);
  });

  it.each([
    ['is empty', { kind: 'empty' }, true],
    ['is a page', { kind: 'html' }, true],
    ['is no JSON', { kind: 'body', body: '{"choices":[' }, true],
    ['is no completion', { kind: 'body', body: '{"data":[]}' }, true],
    ['has no choices', { kind: 'body', body: '{"choices":null}' }, true],
    ['has a list for text', { kind: 'body', body: '{"choices":[{"message":{"content":["x"]}}]}' }, true],
    ['is blank', { kind: 'body', body: '{"choices":[{"message":{"content":" \\n"}}]}' }, true],
    ['is endless', { kind: 'body', body: ' '.repeat(3_000_000) }, true],
    ['has been filtered', { kind: 'filtered' }, false],
    ['is refused', { kind: 'status', status: 400, code: 'context_length_exceeded' }, false],
    ['needs another key', { kind: 'status', status: 401 }, true],
    ['knows no such model', { kind: 'status', status: 404 }, true],
    ['leads elsewhere', { kind: 'status', status: 302, headers: { location: '/elsewhere' } }, true],
  ] as readonly (readonly [string, GenerationFault, boolean])[])(
    'takes no answer that %s, and does not ask again',
    async (_what, fault, isOutage) => {
      server.behave(fault);
      const { text, error } = await write(isStreamed);
      expect([text, error]).toEqual([null, expect.any(GeneratorError)]);
      expect(error!.options.isOutage).toBe(isOutage);
      expect(server.requests).toHaveLength(1);
    },
  );

  it('says nothing of the key, the prompt or what the service wrote', async () => {
    const faults: GenerationFault[] = [400, 401, 404, 429, 500].map((status) => ({ kind: 'status', status, code: 'sk_canary' }));
    const errors: GeneratorError[] = [];
    for (const fault of [...faults, { kind: 'html' }, { kind: 'cut' }, { kind: 'body', body: 'canary {' }] as GenerationFault[]) {
      server.behave(fault);
      errors.push((await write(isStreamed, make({ apiKey: fault.kind === 'status' ? 'sk_canary' : KEY }))).error!);
    }
    for (const error of errors) {
      const everything = `${inspect(error, { depth: 10, showHidden: true })} ${error.stack}`.toLowerCase();
      for (const secret of ['canary', 'your key ends in', 'which wood']) expect(everything).not.toContain(secret);
    }
  });

  it('marks a text that used up its tokens', async () => {
    server.behave({ kind: 'length' });
    const { text, pieces } = await write(isStreamed);
    expect(text).toBe(`${ANSWER} …`);
    if (isStreamed) expect(pieces.join('')).toBe(text);
  });

  it('takes no longer than it may', async () => {
    server.behave({ kind: isStreamed ? 'stall' : 'hang' });
    const { error } = await write(isStreamed, make({ timeoutMs: 60 }));
    expect(error!.message).toBe('The answer provider did not answer within 60 ms');
    await waitFor(() => server.abandoned > 0, { what: 'the connection is cut' });
  });

  it('cuts the connection when it is called off', async () => {
    server.behave({ kind: isStreamed ? 'stall' : 'hang' });
    const controller = new AbortController();
    const before = server.abandoned;
    const outcome = write(isStreamed, make({ timeoutMs: 60_000 }), controller.signal);
    await waitFor(() => server.requests.length === 1, { what: 'the request is under way' });
    controller.abort(new Error('the client has left'));
    expect((await outcome).error!.message).toBe('the client has left');
    await waitFor(() => server.abandoned === before + 1, { what: 'the connection is cut' });
  });

  it('speaks as reasoning models want it, once it has been told', async () => {
    const reasoning = await FakeGenerationServer.start({ isReasoning: true });
    try {
      const generator = make({ baseUrl: reasoning.baseUrl, apiKey: null });
      expect((await write(isStreamed, generator)).text).toBe(ANSWER);
      expect((await write(isStreamed, generator)).text).toBe(ANSWER);
      expect(reasoning.requests.map(({ body }) => [body.max_tokens, body.max_completion_tokens, body.temperature])).toEqual([
        [300, undefined, 0.2],
        [undefined, 300, undefined],
        [undefined, 300, undefined],
      ]);
      expect(reasoning.requests[0]!.headers).not.toHaveProperty('authorization');
    } finally {
      await reasoning.close();
    }
  });
});

describe('OpenAiTextGenerator, streaming', () => {
  it('hands on every piece in order, whole characters only', async () => {
    server.writes('Die Treppe 🪵 aus geölter Eiche kostet 4.800 € [1].\n\nKüche: 屋根 [2].');
    const { text, pieces } = await write(true);
    expect(pieces.length).toBeGreaterThan(5);
    expect(pieces.join('')).toBe(text);
    expect(text).toBe('Die Treppe 🪵 aus geölter Eiche kostet 4.800 € [1].\n\nKüche: 屋根 [2].');
    expect(pieces.every((piece) => piece.isWellFormed())).toBe(true);
  });

  it('does not try again once a piece has arrived, also when the connection is cut then', async () => {
    server.behave({ kind: 'cut' });
    const { pieces, error } = await write(true);
    expect(pieces.length).toBeGreaterThan(0);
    expect(error).toMatchObject({ options: { isOutage: true } });
    expect(server.requests).toHaveLength(1);
  });

  it('refuses a stream that ends without an end, and one with rubbish in it', async () => {
    const event = 'data: {"choices":[{"delta":{"content":"oak"},"finish_reason":null}]}\n\n';
    for (const [body, pieces] of [
      [event, ['oak']],
      [`${event}data: {"choices"\n\n`, ['oak']],
      ['', []],
    ] as const) {
      server.behave({ kind: 'body', body, contentType: 'text/event-stream' });
      const outcome = await write(true);
      expect([outcome.pieces, outcome.error]).toEqual([pieces, expect.any(GeneratorError)]);
    }
  });

  it('lets go of the connection when whoever listens throws', async () => {
    server.behave({ kind: 'stall' });
    const before = server.abandoned;
    const outcome = make({ timeoutMs: 60_000 }).generate(MESSAGES, {
      signal: NEVER,
      onPiece: () => {
        throw new Error('nobody listens');
      },
    });
    await expect(outcome).rejects.toBeInstanceOf(GeneratorError);
    await waitFor(() => server.abandoned === before + 1, { what: 'the connection is cut' });
  });
});
