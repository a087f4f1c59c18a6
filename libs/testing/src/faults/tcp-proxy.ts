import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { TcpExchangeFaults } from './tcp-exchange-faults.js';
import { TcpLink, type TcpLinkContext } from './tcp-link.js';
import type { InjectedTcpFault, TcpExchangeFault, TcpFaultSelection, TcpProxyMode } from './tcp-proxy-mode.js';

const HOST = '127.0.0.1';

export interface TcpProxyOptions {
  /** Decides jitter. Default `Math.random`. */
  readonly random?: () => number;
}

/**
 * A TCP proxy in this process that makes a network as bad as a test wants it, for everybody ({@link setMode}) or for one exchange ({@link inject}).
 *
 * It knows no protocol: whoever injects judges the bytes that a client sends.
 */
export class TcpProxy {
  /** Connections that were taken since the start. */
  connections = 0;
  /** Bytes that were forwarded, by direction. */
  readonly bytes = { request: 0, reply: 0 };
  private readonly faults = new TcpExchangeFaults();
  private readonly links = new Set<TcpLink>();
  private mode: TcpProxyMode = { kind: 'pass' };
  private server: Server | null = null;
  private flowing = Promise.withResolvers<void>();
  private readonly context: TcpLinkContext;

  private constructor(
    private target: { readonly host: string; readonly port: number },
    readonly port: number,
    options: TcpProxyOptions,
  ) {
    this.context = {
      target: () => this.target,
      faults: this.faults,
      mode: () => this.mode,
      untilFlowing: () => this.flowing.promise,
      random: options.random ?? Math.random,
      onClosed: (link) => this.links.delete(link),
      onBytes: (direction, count) => void (this.bytes[direction] += count),
    };
  }

  /** Starts a proxy before the host and port of the URL, on a free port of 127.0.0.1. */
  static async before(url: string, options: TcpProxyOptions = {}): Promise<TcpProxy> {
    const server = createServer({ noDelay: true });
    await listen(server, 0);
    const proxy = new TcpProxy(addressOf(url), (server.address() as AddressInfo).port, options);
    proxy.serve(server);
    return proxy;
  }

  /** New connections lead to another server from now on. */
  leadTo(url: string): void {
    this.target = addressOf(url);
  }

  /** The same URL, but through the proxy. */
  through(url: string): string {
    const proxied = new URL(url);
    proxied.hostname = HOST;
    proxied.port = String(this.port);
    return proxied.toString().replace(/\/$/, url.endsWith('/') ? '/' : '');
  }

  /** Changes what happens to everybody from now on; what a stall held back moves on. */
  async setMode(mode: TcpProxyMode): Promise<void> {
    const before = this.mode;
    this.mode = mode;
    if (mode.kind !== 'stall' && before.kind === 'stall') {
      this.flowing.resolve();
      this.flowing = Promise.withResolvers();
    }
    if (mode.kind === 'refuse' || mode.kind === 'reset') this.cutAll();
    if (mode.kind === 'refuse') await this.stopListening();
    else if (this.server === null) {
      const server = createServer({ noDelay: true });
      await listen(server, this.port);
      this.serve(server);
    }
  }

  /** Lets something go wrong with exchanges that fit; others pass. */
  inject(fault: TcpExchangeFault, selection: TcpFaultSelection = {}): InjectedTcpFault {
    return this.faults.add(fault, selection);
  }

  clearFaults(): void {
    this.faults.clear();
  }

  /** Resets every connection that is open. Returns how many. */
  cutAll(): number {
    const count = this.links.size;
    for (const link of [...this.links]) link.reset();
    return count;
  }

  get openConnections(): number {
    return this.links.size;
  }

  async close(): Promise<void> {
    this.flowing.resolve();
    this.mode = { kind: 'pass' };
    this.cutAll();
    await this.stopListening();
  }

  private serve(server: Server): void {
    this.server = server;
    server.on('connection', (client: Socket) => {
      this.connections++;
      client.on('error', () => undefined);
      if (this.mode.kind === 'reset' || this.mode.kind === 'refuse') {
        client.resetAndDestroy();
        return;
      }
      this.links.add(new TcpLink(client, this.context));
    });
  }

  private async stopListening(): Promise<void> {
    const { server } = this;
    this.server = null;
    if (server !== null) await new Promise((resolve) => server.close(resolve));
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

function addressOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
