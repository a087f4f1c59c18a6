import { MetricsConfig, ServerConfig } from '#config';
import { FatalStartupError } from '#kernel';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MetricsRegistry } from './metrics-registry.js';

const PATH = /^\/metrics\/?(\?|$)/;
/** Who scrapes sends a few headers and nothing else. */
const REQUEST_TIMEOUT_MS = 5_000;

/** Answers `GET /metrics` on METRICS_PORT, and nothing else; no key is asked for there. Without METRICS_PORT it does nothing. */
@Injectable()
export class MetricsServer implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Metrics');
  private server: Server | null = null;

  constructor(
    private readonly config: MetricsConfig,
    private readonly host: ServerConfig,
    private readonly metrics: MetricsRegistry,
  ) {}

  /** Where it answers; `null` = nowhere. */
  get url(): string | null {
    const address = this.server?.address() as AddressInfo | null | undefined;
    if (address === null || address === undefined) return null;
    return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}/metrics`;
  }

  /** @throws FatalStartupError when the port cannot be had */
  async onApplicationBootstrap(): Promise<void> {
    const { port } = this.config;
    if (port === null) return;
    const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
      void this.answer(request, response);
    });
    try {
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, this.host.host, resolve));
    } catch (cause) {
      throw new FatalStartupError(
        `METRICS_PORT ${port} cannot be had (${(cause as NodeJS.ErrnoException).code ?? 'unknown'}). Set another one, or none.`,
        {
          cause,
        },
      );
    }
    this.server = server;
    this.logger.log({ msg: 'metrics', url: this.url });
  }

  onApplicationShutdown(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }

  private async answer({ method = '', url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!PATH.test(url)) return void response.writeHead(404).end();
    if (method !== 'GET' && method !== 'HEAD') return void response.writeHead(405, { allow: 'GET, HEAD' }).end();
    const body = await this.metrics.render();
    response.writeHead(200, { 'content-type': this.metrics.contentType, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    response.end(method === 'HEAD' ? undefined : body);
  }
}
