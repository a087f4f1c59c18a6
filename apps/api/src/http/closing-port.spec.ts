import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { ClosingPort } from './closing-port.js';

const CONNECTIONS = 40;
const SILENCE_MS = 100;
const answerAtOnce = (_request: IncomingMessage, response: ServerResponse): void => void response.end('here');

describe('ClosingPort', () => {
  let server: Server;
  let port: number;
  let closing: ClosingPort;

  beforeEach(async () => {
    server = createServer(answerAtOnce);
    closing = new ClosingPort(server, SILENCE_MS);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });

  const close = () => new Promise<void>((resolve) => closing.begin(() => void server.close(() => resolve())));

  it('has closed the port before it goes on', async () => {
    expect(await new Promise((resolve) => closing.begin(() => resolve(server.listening)))).toBe(false);
  });

  it('answers on connections that were open before', async () => {
    // Open as far as the kernel is concerned; the process accepts them in later turns of its loop.
    const sockets = Array.from({ length: CONNECTIONS }, () => connect(port, '127.0.0.1'));
    const answers = Promise.all(sockets.map((socket) => answerOf(socket, 'GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n')));
    await close();
    expect(await answers).toEqual(Array.from({ length: CONNECTIONS }, () => expect.stringMatching(/^HTTP\/1.1 200 OK[^]*here/)));
  });

  it.each([
    ['sent nothing', ''],
    ['sent half a head', 'GET / HTTP/1.1\r\nhost:'],
    ['sent a request and begins another', 'GET / HTTP/1.1\r\nhost: here\r\n\r\nGET / HT'],
  ])('waits for no connection that %s', async (_what, bytes) => {
    const socket = connect(port, '127.0.0.1');
    const accepted = new Promise((resolve) => server.once('connection', resolve));
    const answer = answerOf(socket, bytes);
    await accepted;
    await close();
    await answer;
  });

  it('waits for an answer that takes longer', async () => {
    server.removeListener('request', answerAtOnce);
    const begun = new Promise<ServerResponse>((resolve) => server.once('request', (_request, response) => resolve(response)));
    const answer = answerOf(connect(port, '127.0.0.1'), 'GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n');
    const silent = connect(port, '127.0.0.1');
    const cutOff = answerOf(silent, '');
    const response = await begun;
    const closed = close();
    // The other one shows that the time is up.
    await cutOff;
    response.end('late');
    await closed;
    expect(await answer).toMatch(/late/);
  });
});

/** What came back until the end, or the code of the error. */
async function answerOf(socket: Socket, bytes: string): Promise<string> {
  if (bytes !== '') socket.write(bytes);
  try {
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    return text;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
