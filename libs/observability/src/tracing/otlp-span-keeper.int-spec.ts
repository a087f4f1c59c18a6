import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OtlpSpanKeeper } from './otlp-span-keeper.js';

const STOP_LIMIT_MS = 4_500;
const TRACE = '0af7651916cd43dd8448eb211c80319c';

describe('OtlpSpanKeeper', () => {
  let collector: Server;
  let bodies: string[];
  let endpoint: string;

  beforeAll(async () => {
    collector = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      request.on('end', () => {
        bodies.push(body);
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/`;
  });
  beforeEach(() => {
    bodies = [];
  });
  afterAll(() => collector.close());

  const tracesOf = async (traceparent: unknown): Promise<string[]> => {
    const keeper = new OtlpSpanKeeper(endpoint, 'test');
    keeper.open('request', {}, { traceparent }).end();
    await keeper.stop();
    return [...bodies.join('').matchAll(/"traceId":"([0-9a-f]+)"/g)].map(([, id]) => id!);
  };

  it.each([`00-${TRACE}-b7ad6b7169203331-01`, `cc-${TRACE}-b7ad6b7169203331-01-what-later-versions-add`])(
    'goes on with the trace %s',
    async (given) => {
      expect(await tracesOf(given)).toEqual([TRACE]);
    },
  );

  it.each([
    undefined,
    '',
    `00-${TRACE}-b7ad6b7169203331`,
    `00-${TRACE.toUpperCase()}-b7ad6b7169203331-01`,
    `ff-${TRACE}-b7ad6b7169203331-01`,
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    ['a', 'b'],
  ])('begins one of its own for %j', async (given) => {
    const traces = await tracesOf(given);
    expect(traces).toHaveLength(1);
    expect(traces).not.toContain(TRACE);
  });

  it('makes no span of a trace that its caller does not sample', async () => {
    expect(await tracesOf(`00-${TRACE}-b7ad6b7169203331-00`)).toEqual([]);
  });

  it('says what kind of failure ended a span, and not what its message says', async () => {
    const keeper = new OtlpSpanKeeper(endpoint, 'test');
    keeper.open('search', {}).end(new RangeError('canary-of-a-message'));
    await keeper.stop();
    expect(bodies.join('')).toContain('RangeError');
    expect(bodies.join('')).not.toContain('canary-of-a-message');
  });

  it('stops soon although nobody takes the spans', async () => {
    const keeper = new OtlpSpanKeeper('http://127.0.0.1:1', 'test');
    keeper.open('request', {}).end();
    const startedMs = performance.now();
    await keeper.stop();
    expect(performance.now() - startedMs).toBeLessThan(STOP_LIMIT_MS);
  });
});
