import { DataDirLock, loadConfig, type KindredConfig } from '#config';
import { DatabaseLifecycle } from '#database';
import { PinoNestLogger, stopOnSignals } from '#observability';
import { SyncReadiness } from '#sync';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { mkdirSync } from 'node:fs';
import { ApiModule } from './api.module.js';
import { configureHttp } from './http/configure-http.js';
import { createFastifyAdapter } from './http/fastify-adapter.js';
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

  const app = await NestFactory.create<NestFastifyApplication>(ApiModule.forRoot(config), createFastifyAdapter(), {
    bufferLogs: true,
    abortOnError: false,
  });
  app.useLogger(app.get(PinoNestLogger));
  await configureHttp(app);
  stopOnSignals(app, async () => {
    runFile.remove();
    await lock.release();
  });

  try {
    await app.listen(config.server.port, config.server.host);
    await Promise.all([app.get(DatabaseLifecycle).ready(), app.get(SyncReadiness).whenReady()]);
  } catch (error) {
    await app.close();
    throw error;
  }
  announce(app, config, runFile);
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
