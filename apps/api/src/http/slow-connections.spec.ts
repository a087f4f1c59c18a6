import type { AccessHook, LimitsHook } from '#security';
import { Logger } from '@nestjs/common';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { KindredFastifyAdapter } from './kindred-fastify.adapter.js';

const TIMEOUTS = { headersMs: 800, bodyMs: 800, bodyIdleMs: 800, readIdleMs: 300, checkMs: 50 };
/** Of each kind; S10 asks for 500 over ten minutes, which is for a machine of its own. */
const SOCKETS = 60;
const OPEN = { config: { access: { scope: 'public' } } } as object;
/** More than the buffers of the kernel take on both sides. */
const LARGE_BYTES = 16_000_000;

// Clients that go away are no news to whoever reads the output of tests.
Logger.overrideLogger(false);

describe('slow connections', () => {
  let adapter: KindredFastifyAdapter;
  let port: number;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    adapter = new KindredFastifyAdapter({ timeouts: TIMEOUTS });
    adapter.protectWith({
      access: { check: async () => undefined } as unknown as AccessHook,
      limits: { admit: () => undefined, charge: async () => undefined } as unknown as LimitsHook,
    });
    const fastify = adapter.getInstance();
    fastify.get('/fast', OPEN, async () => ({ ok: true }));
    fastify.post('/echo', OPEN, async (request) => request.body);
    const large = JSON.stringify('x'.repeat(LARGE_BYTES));
    fastify.get('/large', OPEN, async (_request, reply) => reply.type('application/json').send(large));
    await fastify.listen({ port: 0, host: '127.0.0.1' });
    port = (fastify.server.address() as AddressInfo).port;
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });
  afterAll(() => adapter.getInstance().close());

  function open(): Socket {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    sockets.push(socket);
    return socket;
  }

  /** Sends these bytes, then one of `drip` every 20 ms; gives what came back when the server has closed. */
  async function held(bytes: string, drip: string): Promise<string> {
    const socket = open().setEncoding('utf8');
    let answer = '';
    socket.on('data', (text) => (answer += String(text)));
    socket.write(bytes);
    const timer = setInterval(() => socket.write(drip), 20);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(timer);
    return answer;
  }

  async function askFast(): Promise<number> {
    const startedMs = performance.now();
    const answer = await fetch(`http://127.0.0.1:${port}/fast`, { headers: { connection: 'close' } });
    expect(await answer.json()).toEqual({ ok: true });
    return performance.now() - startedMs;
  }

  it(`ends ${SOCKETS} connections with headers, and ${SOCKETS} with bodies that never end, and serves the others meanwhile`, async () => {
    const slow = Array.from({ length: SOCKETS }, (_, n) =>
      n % 2 === 0
        ? held('GET /fast HTTP/1.1\r\nHost: x\r\nX-Slow: ', 'a')
        : held('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"', 'a'),
    );
    const silent = Array.from({ length: SOCKETS }, () => held('', ''));
    // The first one makes the client ready.
    await askFast();
    const tookMs: number[] = [];
    const ended = Promise.all([...slow, ...silent]);
    let isOver = false;
    void ended.then(() => (isOver = true));
    while (!isOver) {
      tookMs.push(await askFast());
      await delay(10);
    }
    for (const answer of (await ended).filter((text) => text !== '')) expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect((await Promise.all(slow)).filter((answer) => answer.startsWith('HTTP/1.1 408 '))).toHaveLength(SOCKETS);
    // Nobody waits for them.
    expect(tookMs.sort((a, b) => a - b)[Math.floor(tookMs.length / 2)]).toBeLessThan(TIMEOUTS.headersMs / 2);
  });

  it('gives an answer up of which nothing is taken', async () => {
    const { server } = adapter.getInstance();
    const socket = open();
    socket.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n');
    // Reads nothing: it is paused until somebody listens for data.
    await new Promise((resolve) => socket.once('connect', resolve));
    const connections = () => new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)));
    const deadlineMs = performance.now() + 5_000;
    while ((await connections()) > 0 && performance.now() < deadlineMs) await delay(20);
    expect(await connections()).toBe(0);
  });

  it('lets a reader take its time while it takes something', async () => {
    const socket = open();
    socket.write('GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    let received = 0;
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      socket.on('data', (chunk: Buffer) => {
        received += chunk.length;
        // Ten times as long as it may take nothing.
        if (received < LARGE_BYTES) socket.pause();
      });
      const timer = setInterval(() => (socket.destroyed ? clearInterval(timer) : socket.resume()), 5);
    });
    expect(received).toBeGreaterThan(LARGE_BYTES);
  });
});
