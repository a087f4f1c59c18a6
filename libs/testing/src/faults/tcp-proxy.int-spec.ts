import { createServer, type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { TcpProxy } from './tcp-proxy.js';

/** Answers each line with `ok <line>`, and remembers what it has applied. */
class LineServer {
  readonly applied: string[] = [];
  private server!: Server;

  async start(): Promise<string> {
    this.server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        const line = data.toString().trim();
        this.applied.push(line);
        socket.write(`ok ${line}\n`);
      });
    });
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `tcp://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => this.server.close(resolve));
  }
}

describe('TcpProxy', () => {
  const server = new LineServer();
  const sockets: Socket[] = [];
  let proxy: TcpProxy;

  beforeAll(async () => {
    proxy = await TcpProxy.before(await server.start());
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    proxy.clearFaults();
    await proxy.setMode({ kind: 'pass' });
    server.applied.length = 0;
  });
  afterAll(async () => {
    await proxy.close();
    await server.stop();
  });

  const open = (): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const socket = connect(proxy.port, '127.0.0.1', () => resolve(socket));
      sockets.push(socket);
      socket.once('error', reject);
    });

  /** What came back, and how the connection ended if it did. */
  async function ask(line: string, socket?: Socket): Promise<string> {
    const connection = socket ?? (await open());
    return new Promise((resolve) => {
      let reply = '';
      connection.removeAllListeners('error');
      connection.on('data', (data) => {
        reply += data.toString();
        if (reply.endsWith('\n')) resolve(reply.trim());
      });
      connection.once('error', (error: NodeJS.ErrnoException) => resolve(`${reply}<${error.code}>`));
      connection.once('end', () => resolve(`${reply}<end>`));
      connection.write(`${line}\n`);
    });
  }

  it('passes, and counts', async () => {
    const before = { ...proxy.bytes, connections: proxy.connections };
    await expect(ask('a')).resolves.toBe('ok a');
    expect(proxy.connections - before.connections).toBe(1);
    expect(proxy.bytes.request - before.request).toBe(2);
    expect(proxy.bytes.reply - before.reply).toBe(5);
  });

  it('gives URLs that lead through it', () => {
    expect(proxy.through('postgresql://u:p@db.example:5432/name')).toBe(`postgresql://u:p@127.0.0.1:${proxy.port}/name`);
    expect(proxy.through('http://127.0.0.1:6333')).toBe(`http://127.0.0.1:${proxy.port}`);
  });

  it('refuses, and cuts what is open', async () => {
    const socket = await open();
    const ended = new Promise((resolve) => socket.once('error', resolve).once('close', resolve));
    await proxy.setMode({ kind: 'refuse' });
    await ended;
    await expect(open()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await proxy.setMode({ kind: 'pass' });
    await expect(ask('b')).resolves.toBe('ok b');
  });

  it('resets', async () => {
    await proxy.setMode({ kind: 'reset' });
    const reply = open()
      .then((socket) => ask('c', socket))
      .catch((error: NodeJS.ErrnoException) => error.code);
    await expect(reply).resolves.toMatch(/ECONNRESET|EPIPE/);
    expect(server.applied).toEqual([]);
  });

  it('stalls, and delivers late', async () => {
    const socket = await open();
    await ask('d', socket);
    await proxy.setMode({ kind: 'stall' });
    const late = ask('e', socket);
    await expect(Promise.race([late, new Promise((resolve) => setTimeout(() => resolve('silence'), 50))])).resolves.toBe('silence');
    expect(server.applied).toEqual(['d']);
    await proxy.setMode({ kind: 'pass' });
    await expect(late).resolves.toBe('ok e');
  });

  it('delays and throttles, and keeps the order', async () => {
    const socket = await open();
    await proxy.setMode({ kind: 'delay', ms: 30, jitterMs: 10 });
    const delayedAtMs = performance.now();
    await expect(ask('f', socket)).resolves.toBe('ok f');
    expect(performance.now() - delayedAtMs).toBeGreaterThanOrEqual(59);
    await proxy.setMode({ kind: 'throttle', bytesPerSecond: 200 });
    const throttledAtMs = performance.now();
    await expect(ask('0123456789')).resolves.toBe('ok 0123456789');
    expect(performance.now() - throttledAtMs).toBeGreaterThanOrEqual(100);
  });

  it('drops the reply of what was applied, of the chosen exchange only', async () => {
    const fault = proxy.inject({ kind: 'drop-reply' }, { on: (request) => request.includes('commit') });
    await expect(ask('select')).resolves.toBe('ok select');
    await expect(ask('commit')).resolves.toBe('<ECONNRESET>');
    await fault.met;
    expect(fault.hits).toBe(1);
    expect(server.applied).toEqual(['select', 'commit']);
    await expect(ask('commit again')).resolves.toBe('ok commit again');
  });

  it('cuts a reply after so many bytes', async () => {
    const fault = proxy.inject({ kind: 'cut-reply', afterBytes: 4 });
    await expect(ask('torn')).resolves.toBe('ok t<end>');
    await fault.met;
    expect(server.applied).toEqual(['torn']);
    const whole = proxy.inject({ kind: 'cut-reply', afterBytes: 0 });
    await expect(ask('torn')).resolves.toMatch(/^<(ECONNRESET|end)>$/);
    await whole.met;
    proxy.inject({ kind: 'cut-reply', afterBytes: 1_000 });
    await expect(ask('torn')).resolves.toBe('ok torn<end>');
  });

  it('resets an exchange before it is forwarded', async () => {
    const fault = proxy.inject({ kind: 'reset' });
    await expect(ask('lost')).resolves.toBe('<ECONNRESET>');
    await fault.met;
    expect(server.applied).toEqual([]);
  });
});
