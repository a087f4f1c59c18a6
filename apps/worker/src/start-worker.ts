import { loadConfig } from '#config';
import { DatabaseLifecycle } from '#database';
import { FatalStartupError } from '#kernel';
import { stopOnSignals, useHouseLogger } from '#observability';
import { SyncReadiness } from '#sync';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WorkerModule } from './worker.module.js';

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
  const app = await NestFactory.createApplicationContext(WorkerModule.forRoot(config), { bufferLogs: true, abortOnError: false });
  useHouseLogger(app);
  stopOnSignals(app, async () => undefined);
  await Promise.all([app.get(DatabaseLifecycle).ready(), app.get(SyncReadiness).whenReady()]);
  new Logger('Worker').log('ready');
}
