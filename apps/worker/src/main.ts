import 'reflect-metadata';
import { InvalidEnvironmentError } from '#config';
import { FatalStartupError } from '#kernel';
import { startWorker } from './start-worker.js';

try {
  await startWorker();
} catch (error) {
  const isExplained = error instanceof InvalidEnvironmentError || error instanceof FatalStartupError;
  process.stderr.write(`${isExplained ? error.message : ((error as Error).stack ?? String(error))}\n`);
  process.exit(1);
}
