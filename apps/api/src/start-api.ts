import { DataDirLock, loadConfig, type KindredConfig } from '#config';
import { DatabaseLifecycle } from '#database';
import { PinoNestLogger } from '#observability';
import { SyncReadiness } from '#sync';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { mkdirSync } from 'node:fs';
import { ApiModule } from './api.module.js';
import { configureHttp } from './http/configure-http.js';
import { createFastifyAdapter } from './http/fastify-adapter.js';
import { RunFile } from './run-file.js';

/** Longest orderly stop; whatever still hangs then is given up (leases expire by themselves). */
const SHUTDOWN_TIMEOUT_MS = 20_000;

/**
 * Starts the api process; resolves when it is ready to answer.
 *
 * It listens before it is ready, so that probes can tell starting from dead.
 *
 * @throws InvalidEnvironmentError, FatalStartupError
 */
export async function startApi(): Promise<void> {
  const config = loadConfig();
  mkdirSync(config.data.dataDir, { recursive: true, mode: 0o700 });
  const lock = await DataDirLock.acquire(config.data.dataDir);
  const runFile = new RunFile(config.data.dataDir);
  // A file that an earlier process left behind when it was killed must not be taken for ours.
  runFile.remove();

  const app = await NestFactory.create<NestFastifyApplication>(ApiModule.forRoot(config), createFastifyAdapter(), { bufferLogs: true, abortOnError: false });
  app.useLogger(app.get(PinoNestLogger));
  await configureHttp(app);
  const logger = new Logger('Kindred');
  stopOnSignals(app, logger, async () => {
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

function stopOnSignals(app: NestFastifyApplication, logger: Logger, afterwards: () => Promise<void>): void {
  let isStopping = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    logger.log(`${signal}: stopping`);
    setTimeout(() => {
      logger.error(`Not stopped after ${SHUTDOWN_TIMEOUT_MS} ms; giving up`);
      process.exit(1);
    }, SHUTDOWN_TIMEOUT_MS).unref();
    let exitCode = 0;
    try {
      await app.close();
    } catch (error) {
      logger.error(error);
      exitCode = 1;
    }
    await afterwards();
    logger.log('stopped');
    process.exit(exitCode);
  };
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));
}
