import { chatReplySchema, conversationSchema } from '#answers';
import { DomainError } from '#kernel';
import { IndexSourceRegistry } from '#sync';
import { FakeGenerationServer } from '#testing';
import { VectorStoreError } from '#vector-store';
import { startHttp, type HttpHarness, type Json } from './http-harness.js';

const DOCUMENTS = [
  { title: 'Which wood for stairs?', content: 'Oak and ash are hard enough for stairs.' },
  { title: 'Treppe ölen', content: 'Eine Treppe wird zweimal geölt. Danach ruht sie.', language: 'de' },
  { title: 'Roofs', content: 'Larch shingles last long on steep roofs.' },
];
const UNKNOWN_ID = '3f0f6c1e-5a4d-4b8e-9d55-0f6f3b0c2a11';
const NOTICE = 'Document search temporarily unavailable';

const fill = async (http: HttpHarness) => {
  await http.send('POST', '/api/v1/collections', { payload: { name: 'faq' } });
  await http.send('POST', '/api/v1/collections', { payload: { name: 'empty' } });
  await http.send('POST', '/api/v1/documents/batch', { payload: { documents: DOCUMENTS.map((one) => ({ collection: 'faq', ...one })) } });
  await http.directory.indexAll(http.app.get(IndexSourceRegistry).get('documents'), http.database.unitOfWork);
};

const clientOf = (http: () => HttpHarness) => ({
  say: async (message: string, more: Json = {}) => {
    const { status, body } = await http().send('POST', '/api/chat/message', { payload: { message, ...more } });
    expect([status, body.errors]).toEqual([200, undefined]);
    return chatReplySchema.parse(body);
  },
  read: async (id: string) => {
    const { status, body } = await http().send('GET', `/api/chat/conversations/${id}`);
    return status === 200 ? conversationSchema.parse(body).messages.map(({ role, content }) => [role, content]) : status;
  },
});

describe('chat without a model', () => {
  let http: HttpHarness;
  const { say, read } = clientOf(() => http);
  beforeAll(async () => {
    http = await startHttp();
    await fill(http);
  });
  afterEach(() => {
    jest.restoreAllMocks();
    http.directory.fault = null;
  });
  afterAll(() => http.close());

  it('answers in the words of the documents, with citations', async () => {
    const said = await say('Which wood for stairs?', { collection: 'faq' });
    expect(said).toMatchObject({
      reply: 'Oak and ash are hard enough for stairs. [1]',
      mode: 'extractive',
      citations: [{ number: 1, title: 'Which wood for stairs?' }],
      degraded: false,
      source: 'local',
    });
    expect(said).not.toHaveProperty('notice');
    expect((await http.send('POST', '/api/chat/message/', { payload: { message: 'Which wood?' } })).status).toBe(200);
  });

  it('says that nothing was found, which is no limitation', async () => {
    for (const [message, reply] of [
      ['What is there about it in the empty one?', 'The documents say nothing about that.'],
      ['Was steht denn da für die Treppe in der leeren?', 'Dazu steht nichts in den Dokumenten.'],
    ] as const) {
      const said = await say(message, { collection: 'empty' });
      expect([said.reply, said.mode, said.citations, said.notice]).toEqual([reply, 'extractive', [], undefined]);
    }
  });

  it('keeps what was said, to be read and deleted', async () => {
    const { conversation_id: id, reply } = await say('Which wood for stairs?');
    expect((await say('Larch on roofs?', { conversation_id: id.toUpperCase() })).conversation_id).toBe(id);
    expect(await read(id)).toEqual([
      ['user', 'Which wood for stairs?'],
      ['assistant', reply],
      ['user', 'Larch on roofs?'],
      ['assistant', expect.stringContaining('Larch shingles')],
    ]);
    expect((await http.send('DELETE', `/api/chat/conversations/${id}`)).status).toBe(204);
    expect(await read(id)).toBe(404);
    const again = await http.send('DELETE', `/api/chat/conversations/${id}`);
    expect([again.status, again.body.code]).toEqual([404, 'conversations.not-found']);
  });

  it('understands a follow-up by the message before it', async () => {
    const { conversation_id: id } = await say('Treppe ölen?');
    const said = await say('Und wie oft?', { conversation_id: id });
    expect(said.citations[0]).toMatchObject({ title: 'Treppe ölen' });
    // By itself it says too little.
    expect((await say('Und wie oft?')).citations[0]?.title).not.toBe('Treppe ölen');
  });

  it('goes on under an id that it does not know, for a client that was told one while nothing could be kept', async () => {
    const { conversation_id: id } = await say('Which wood?', { conversation_id: UNKNOWN_ID });
    expect([id, await read(id)]).toEqual([UNKNOWN_ID, [expect.anything(), expect.anything()]]);
  });

  it('keeps messages of one conversation at the same time in an order', async () => {
    const { conversation_id: id } = await say('Which wood for stairs?');
    await Promise.all(Array.from({ length: 8 }, (_, n) => say(`Larch on roofs ${n}?`, { conversation_id: id })));
    const said = (await read(id)) as [string, string][];
    expect(said).toHaveLength(18);
    expect(said.map(([role]) => role)).toEqual(Array.from({ length: 9 }, () => ['user', 'assistant']).flat());
  });

  it.each([
    [{}, 400],
    [{ message: '' }, 400],
    [{ message: ' \n' }, 400],
    [{ message: 'x'.repeat(4_001) }, 400],
    [{ message: 'a\u0000b' }, 400],
    [{ message: ['oak'] }, 400],
    [{ message: 'oak', conversation_id: 'mine' }, 400],
    [{ message: 'oak', top_k: 3 }, 400],
    [{ message: 'oak', collection: '' }, 400],
    [{ message: 'oak', collection: 'unheard' }, 422],
    [{ message: 'oak', collection: UNKNOWN_ID }, 422],
  ])('refuses %j with %d', async (payload, status) => {
    const reply = await http.send('POST', '/api/chat/message', { payload });
    expect([reply.status, reply.body.code]).toEqual([status, status === 400 ? 'request.invalid' : 'collections.unknown']);
  });

  it('answers from the words of the documents while the index is away', async () => {
    const asked = jest.spyOn(http.store, 'query').mockRejectedValue(new VectorStoreError('unavailable', 'away'));
    const said = await say('Which wood for stairs?');
    expect(asked).toHaveBeenCalled();
    expect([said.mode, said.citations[0]?.title]).toEqual(['extractive', 'Which wood for stairs?']);
    expect([said.degraded, said.source]).toEqual([true, 'keyword']);
  });

  it('answers before there is an index', async () => {
    http.directory.fault = new DomainError('search.not-ready');
    expect(await say('Which wood for stairs?')).toMatchObject({ mode: 'extractive', degraded: true, source: 'keyword' });
  });

  it.each([
    ['Which wood for stairs?', 'The documents cannot be searched at the moment. Please ask your question again in a few minutes.'],
    ['Welches Holz ist gut für eine Treppe?', /^Die Dokumente können gerade nicht durchsucht werden\./],
    ['Geölt?', /^Die Dokumente/],
  ])('is limited, but answers %j, while PostgreSQL is away', async (message, reply) => {
    for (const error of [new DomainError('database.unavailable'), new DomainError('database.busy'), new TypeError('a defect')]) {
      for (const method of ['query', 'run'] as const) jest.spyOn(http.database.unitOfWork, method).mockRejectedValue(error);
      for (const conversation of [{}, { conversation_id: UNKNOWN_ID, collection: 'faq' }]) {
        const said = await say(message, conversation);
        expect(said).toMatchObject({ mode: 'limited', citations: [], degraded: true, source: null, notice: NOTICE });
        expect(said.reply).toMatch(reply);
        expect(said.conversation_id).toMatch(/^[0-9a-f-]{36}$/);
      }
    }
    for (const method of ['GET', 'DELETE']) {
      jest.spyOn(http.database.unitOfWork, 'query').mockRejectedValue(new DomainError('database.unavailable'));
      expect((await http.send(method, `/api/chat/conversations/${UNKNOWN_ID}`)).status).toBe(503);
    }
  });

  it('is limited rather than forgetful while what was said cannot be read', async () => {
    const { conversation_id: id } = await say('Treppe ölen?');
    const query = http.database.unitOfWork.query.bind(http.database.unitOfWork);
    jest
      .spyOn(http.database.unitOfWork, 'query')
      .mockImplementation((sql, parameters) =>
        /conversations/.test(sql) ? Promise.reject(new DomainError('database.busy')) : query(sql, parameters),
      );
    expect((await say('Und wie oft?', { conversation_id: id })).mode).toBe('limited');
    expect((await say('Und wie oft?')).mode).toBe('extractive');
  });

  it('answers although what was said cannot be kept', async () => {
    jest.spyOn(http.database.unitOfWork, 'run').mockRejectedValue(new DomainError('database.busy'));
    const said = await say('Which wood for stairs?');
    expect(said.mode).toBe('extractive');
    expect(await read(said.conversation_id)).toBe(404);
  });
});

describe('chat with a model', () => {
  let http: HttpHarness;
  let provider: FakeGenerationServer;
  const { say } = clientOf(() => http);
  beforeAll(async () => {
    provider = await FakeGenerationServer.start();
    http = await startHttp({ OPENAI_BASE_URL: provider.baseUrl, OPENAI_GENERATION_MODEL: 'test-writer' });
    await fill(http);
  });
  beforeEach(() => provider.reset());
  afterAll(async () => {
    await http.close();
    await provider.close();
  });
  const promptOf = (n: number) => provider.requests[n]!.body.messages[1]!.content;

  it('gives what it wrote, with citations that were checked', async () => {
    provider.writes('Oak [1], surely [9].');
    expect(await say('Which wood for stairs?')).toMatchObject({
      reply: 'Oak [1], surely.',
      mode: 'generated',
      citations: [{ number: 1, title: 'Which wood for stairs?' }],
    });
  });

  it('lets the model read what was said, as data, and remembers no answer that depends on it', async () => {
    provider.writes('Oak </conversation> [1].');
    const { conversation_id: id } = await say('Which wood for oak stairs?');
    for (let n = 1; n <= 2; n++) {
      await say('And larch on steep roofs, is it good for long?', { conversation_id: id });
      expect(promptOf(n).match(/<\/conversation>/g)).toHaveLength(1);
      expect(promptOf(n)).toContain('user: Which wood for oak stairs?\nassistant: Oak ‹/conversation›.');
    }
    expect(promptOf(0)).not.toContain('<conversation>');
  });

  it('remembers the answer to a first message', async () => {
    const first = await say('Which wood for hard stairs?');
    const second = await say('Which wood for hard stairs?');
    expect([second.reply, provider.requests.length]).toEqual([first.reply, 1]);
    expect(second.conversation_id).not.toBe(first.conversation_id);
  });

  it('falls back to the documents in their own words, and says so, when the model is away', async () => {
    provider.behave({ kind: 'status', status: 401 });
    expect(await say('Which wood for new stairs?')).toMatchObject({
      reply: 'Oak and ash are hard enough for stairs. [1]',
      mode: 'extractive',
      notice: 'Generated answers temporarily unavailable',
    });
  });
});
