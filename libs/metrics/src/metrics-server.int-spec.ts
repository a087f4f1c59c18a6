import { loadConfig } from '#config';
import { Logger } from '@nestjs/common';
import { MetricsRegistry } from './metrics-registry.js';
import { MetricsServer } from './metrics-server.js';

describe('MetricsServer', () => {
  const servers: MetricsServer[] = [];
  const serverAt = (port: string) => {
    const { metrics: config, server: host } = loadConfig({ METRICS_PORT: port });
    const metrics = new MetricsRegistry();
    metrics.gauge('one', 'One', () => 1);
    servers.push(new MetricsServer(config, host, metrics));
    return servers.at(-1)!;
  };
  beforeAll(() => Logger.overrideLogger(false));
  afterAll(() => Logger.overrideLogger(['error', 'warn', 'log']));
  afterEach(() => servers.splice(0).forEach((server) => server.onApplicationShutdown()));

  it('answers GET and HEAD of /metrics, and nothing else', async () => {
    const server = serverAt('0');
    await server.onApplicationBootstrap();
    const url = server.url!;
    const answers = await Promise.all([
      fetch(url),
      fetch(`${url}/?x=1`),
      fetch(url, { method: 'HEAD' }),
      fetch(url, { method: 'POST' }),
      fetch(`${url}x`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 405, 404]);
    expect(await answers[0]!.text()).toContain('one 1');
    expect(answers[0]!.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it('says which port it cannot have', async () => {
    const first = serverAt('0');
    await first.onApplicationBootstrap();
    const { port } = new URL(first.url!);
    await expect(serverAt(port).onApplicationBootstrap()).rejects.toThrow(
      `METRICS_PORT ${port} cannot be had (EADDRINUSE). Set another one, or none.`,
    );
  });

  it('does nothing without a port', async () => {
    const server = serverAt('');
    await server.onApplicationBootstrap();
    expect(server.url).toBeNull();
  });
});
