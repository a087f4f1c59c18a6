import { KindredClient } from './kindred-client.js';

describe('KindredClient', () => {
  afterEach(() => jest.restoreAllMocks());

  const answering = (answer: () => Response): KindredClient => {
    jest.spyOn(globalThis, 'fetch').mockImplementation(async () => answer());
    return new KindredClient('http://kindred');
  };
  const problem = (status: number, body: object) => new Response(JSON.stringify(body), { status });

  it.each([
    ['a reply that is cut off', () => new Response(new ReadableStream({ start: (it) => it.error(new Error('reset')) })), true, 'cut off'],
    [
      'a refusal that is cut off',
      () => new Response(new ReadableStream({ start: (it) => it.error(new Error('reset')) }), { status: 404 }),
      true,
      'cut off',
    ],
    ['a proxy without a service', () => new Response('Bad Gateway', { status: 502 }), true, '502'],
    ['a problem that passes', () => problem(503, { code: 'database.unavailable', title: 'Away', retryable: true }), true, 'Away'],
    ['a problem that stays', () => problem(404, { code: 'jobs.not-found', title: 'No such job', retryable: false }), false, 'No such job'],
    ['something else', () => new Response('<html>'), false, 'something else than JSON'],
  ])('%s is a sentence for a person', async (_name, answer, isPassing, text) => {
    const client = answering(answer as () => Response);
    await expect(client.job('x')).rejects.toMatchObject({ name: 'ServiceError', isPassing, message: expect.stringContaining(text) });
  });

  it('sends its key as a bearer token, and none when it has none', async () => {
    const sent: Headers[] = [];
    jest.spyOn(globalThis, 'fetch').mockImplementation(async (_url, init) => {
      sent.push(new Headers(init?.headers));
      return new Response('{}');
    });
    await new KindredClient('http://kindred', 'kd_1').act('x', {});
    await new KindredClient('http://kindred').job('x');
    expect(sent.map((headers) => headers.get('authorization'))).toEqual(['Bearer kd_1', null]);
    expect(sent[0]!.get('content-type')).toBe('application/json');
  });

  it('follows no redirection, whose target would get the key or another request', async () => {
    const asked: (RequestInit | undefined)[] = [];
    jest.spyOn(globalThis, 'fetch').mockImplementation(async (_url, init) => {
      asked.push(init);
      return new Response(null, { status: 307, headers: { location: 'https://elsewhere.example/x?y' } });
    });
    const refused = { exitCode: 1, message: 'http://kindred redirects to https://elsewhere.example, which is not followed.' };
    await expect(new KindredClient('http://kindred', 'kd_1').act('x')).rejects.toMatchObject(refused);
    await expect(new KindredClient('http://kindred', 'kd_1').health('/health')).rejects.toMatchObject(refused);
    expect(asked.map((init) => init?.redirect)).toEqual(['manual', 'manual']);
  });

  it('takes a reply without a body', async () => {
    await expect(answering(() => new Response(null, { status: 204 })).call('DELETE', '/x')).resolves.toBeUndefined();
  });
});
