import { DataDirLock, loadConfig, type KindredConfig } from '#config';
import { DatabaseLifecycle } from '#database';
import { FatalStartupError } from '#kernel';
import { HealthMonitor } from '#health';
import { HttpMetrics } from '#metrics';
import { startTracing, stopOnSignals, useHouseLogger } from '#observability';
import { DoorCheck } from '#security';
import { SyncReadiness } from '#sync';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiModule } from './api.module.js';
import { configureHttp } from './http/configure-http.js';
import { createFastifyAdapter } from './http/fastify-adapter.js';
import { RequestSpans } from './http/request-spans.js';
import { RunFile } from './run-file.js';

/**
 * Starts the api process; resolves when it is ready to answer.
 *
 * It listens before it is ready, so that probes can tell starting from dead.
 *
 * @throws FatalStartupError
 */
export async function startApi(): Promise<void> {
  const config = loadConfig();
  mkdirSync(config.data.dataDir, { recursive: true });
  const lock = await DataDirLock.acquire(config.data.dataDir);
  const runFile = new RunFile(config.data.dataDir);
  // A file that an earlier process left behind when it was killed must not be taken for ours.
  runFile.remove();

  const stopTracing = await startTracing(config.tracing, 'kindred-api');
  const adapter = createFastifyAdapter(config.security);
  const app = await NestFactory.create<NestFastifyApplication>(ApiModule.forRoot(config), adapter, {
    bufferLogs: true,
    abortOnError: false,
  });
  useHouseLogger(app);
  await configureHttp(app);
  const requests = app.get(HttpMetrics);
  if (config.tracing.endpoint !== null) adapter.traceRequests(new RequestSpans());
  adapter.watchRequests((request, reply) => requests.watch(request, reply));
  stopOnSignals(app, {
    before: async () => {
      app.get(HealthMonitor).startDraining();
      adapter.turnAway();
      await delay(config.server.shutdownDelayMs);
    },
    after: async () => {
      await stopTracing();
      runFile.remove();
      await lock.release();
    },
  });

  try {
    await listen(app, config);
    await Promise.all([
      app
        .get(DatabaseLifecycle)
        .ready()
        .then(() => app.get(DoorCheck).run()),
      app.get(SyncReadiness).whenReady(),
    ]);
    // Who reads "ready" must find /health/ready so: the last look may be from before the database answered.
    await app.get(HealthMonitor).refreshAnew();
  } catch (error) {
    await app.close();
    throw error;
  }
  announce(app, config, runFile);
}

async function listen(app: NestFastifyApplication, { server: { host, port } }: KindredConfig): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new FatalStartupError(`Port ${port} on ${host} is taken by another program. Stop it, or set PORT (0 = any free port).`, {
        cause: error,
      });
    if (code === 'EACCES')
      throw new FatalStartupError(`This user may not listen on port ${port}. Set PORT to 1024 or above.`, { cause: error });
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new FatalStartupError('HOST is not an address of this machine.', { cause: error });
    throw error;
  }
}

function announce(app: NestFastifyApplication, config: KindredConfig, runFile: RunFile): void {
  const address = app.getHttpServer().address();
  const port = typeof address === 'object' && address !== null ? address.port : config.server.port;
  const host = config.server.host.includes(':') ? `[${config.server.host}]` : config.server.host;
  const url = `http://${host}:${port}`;
  runFile.write({ pid: process.pid, url, database_url: app.get(DatabaseLifecycle).url });
  // Tools wait for exactly this line.
  new Logger('Kindred').log({ url, docs: `${url}/docs`, msg: 'ready' });
}
