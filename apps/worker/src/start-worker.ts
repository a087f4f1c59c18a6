import { loadConfig } from '#config';
import { DatabaseLifecycle } from '#database';
import { FatalStartupError } from '#kernel';
import { startTracing, stopOnSignals, useHouseLogger } from '#observability';
import { SyncReadiness } from '#sync';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WorkerModule } from './worker.module.js';

/** Any time will do: the timer is there, and does nothing. */
const KEEP_ALIVE_MS = 60_000;

/**
 * Starts a relay as a process of its own; resolves when it works.
 *
 * @throws FatalStartupError with the local vector store or the embedded database: both live in the api process alone
 */
export async function startWorker(): Promise<void> {
  const config = loadConfig();
  if (config.vectorStore.kind === 'local') {
    throw new FatalStartupError(
      'The local vector store lives inside the api process, and so must the relay: there is nothing for a worker to do. Set QDRANT_URL to run workers, or leave SYNC_INLINE=true and run the api alone.',
    );
  }
  if (config.database.url === null) {
    throw new FatalStartupError('The embedded PostgreSQL belongs to the api process. Set DATABASE_URL to run workers beside it.');
  }
  const stopTracing = await startTracing(config.tracing, 'kindred-worker');
  const app = await NestFactory.createApplicationContext(WorkerModule.forRoot(config), { bufferLogs: true, abortOnError: false });
  useHouseLogger(app);
  stopOnSignals(app, { after: stopTracing });
  // Nothing else holds a worker: while the database is away no socket is open, and Node would end it in silence, with code 0.
  setInterval(() => undefined, KEEP_ALIVE_MS);
  await Promise.all([app.get(DatabaseLifecycle).ready(), app.get(SyncReadiness).whenReady()]);
  new Logger('Worker').log('ready');
}
