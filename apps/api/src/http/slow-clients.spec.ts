import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { watchBody, type BodyDeadline } from './slow-clients.js';

describe('watchBody', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });

  /** Sends a request, then a piece of its body every few milliseconds, and gives the answer. */
  async function ask(deadline: BodyDeadline, pieces: readonly string[], everyMs: number): Promise<string> {
    const server = createServer((request, reply) => {
      watchBody(request, deadline);
      request.resume().once('end', () => reply.end('read'));
    }).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').setEncoding('utf8');
    let answer = '';
    // The server closes while the client still writes: that is what is tested.
    socket.on('data', (text) => (answer += String(text))).on('error', () => undefined);
    const length = pieces.join('').length;
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`);
    const left = [...pieces];
    const timer = setInterval(() => {
      const piece = left.shift();
      if (piece === undefined || socket.destroyed) clearInterval(timer);
      else socket.write(piece);
    }, everyMs);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(timer);
    return answer;
  }

  it('answers 408 to a body that is not there in time as a whole, however steadily it comes', async () => {
    const answer = await ask(
      { wholeMs: 60 },
      Array.from({ length: 100 }, () => 'x'),
      5,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('application/problem+json');
  });

  it('lets a file take its time while it comes, and cuts it off when it stands still', async () => {
    expect(
      await ask(
        { idleMs: 60 },
        Array.from({ length: 40 }, () => 'x'),
        5,
      ),
    ).toContain('read');
    expect(await ask({ idleMs: 60 }, ['x', 'x', ...Array.from({ length: 5 }, () => 'x')], 400)).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('leaves a request alone that has been read', async () => {
    expect(await ask({ wholeMs: 30 }, ['x'], 1)).toContain('read');
  });
});
