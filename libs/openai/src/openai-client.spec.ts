import { FixedClock } from '#testing';
import { OpenAiClient } from './openai-client.js';

describe('OpenAiClient', () => {
  afterEach(() => jest.restoreAllMocks());

  const REQUEST = { timeoutMs: 1_000, signal: new AbortController().signal };
  const client = (): OpenAiClient =>
    new OpenAiClient({
      baseUrl: 'http://provider/v1',
      apiKey: null,
      serviceName: 'embedding provider',
      requestParts: 'the texts',
      clock: new FixedClock(),
      wait: async () => undefined,
    });
  const answering = (answer: () => Promise<Response>): jest.SpyInstance => jest.spyOn(globalThis, 'fetch').mockImplementation(answer);

  it('says of a connection that was cut that the service did not answer, and tries again', async () => {
    const fetching = answering(async () => {
      throw new TypeError('fetch failed', { cause: new Error('ECONNRESET') });
    });
    await expect(client().post('/embeddings', {}, async () => null, REQUEST)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(fetching).toHaveBeenCalledTimes(3);
  });

  it('says nothing of the kind of a defect in the code that reads the reply', async () => {
    const fetching = answering(async () => new Response('{}'));
    const subject = client();
    const defect = new TypeError('x is not a function');
    const read = async (): Promise<never> => {
      throw defect;
    };
    await expect(subject.post('/embeddings', {}, read, REQUEST)).rejects.toBe(defect);
    expect([fetching.mock.calls.length, subject.stats().failed]).toEqual([1, 0]);
    expect(subject.failureOf(defect, 1_000)).toMatchObject({ kind: 'malformed', options: { cause: defect } });
  });
});
