import 'reflect-metadata';
import { InvalidEnvironmentError } from '#config';
import { FatalStartupError } from '#kernel';
import { startApi } from './start-api.js';

try {
  await startApi();
} catch (error) {
  // What the operator can mend gets its sentence; anything else is a defect and gets its stack.
  const isExplained = error instanceof InvalidEnvironmentError || error instanceof FatalStartupError;
  process.stderr.write(`${isExplained ? error.message : ((error as Error).stack ?? String(error))}\n`);
  process.exit(1);
}
