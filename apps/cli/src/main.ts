#!/usr/bin/env node
import 'reflect-metadata';
import { printStartupError } from '#observability';
import { CommandFactory } from 'nest-commander';
import { CliModule } from './cli.module.js';
import { ServiceError } from './service/service-error.js';
import { UsageError } from './service/usage-error.js';

/** 0 = done, 1 = failed or refused, 2 = the command line was wrong. */
const FAILED = 1;
const USAGE = 2;

/** What commander throws has been printed by then: help that was asked for, or what is wrong with the command line. */
function isCommanderError(error: Error): error is Error & { exitCode: number } {
  return error.name === 'CommanderError' && 'exitCode' in error && typeof error.exitCode === 'number';
}

const explain = (error: Error): never => {
  if (isCommanderError(error)) process.exit(error.exitCode === 0 ? 0 : USAGE);
  if (error instanceof UsageError || error instanceof ServiceError) {
    process.stderr.write(`${error.message}\n`);
    process.exit(error instanceof UsageError ? USAGE : FAILED);
  }
  printStartupError(error);
  process.exit(FAILED);
};

const app = await CommandFactory.createWithoutRunning(CliModule, { logger: false, errorHandler: explain, serviceErrorHandler: explain });
app.get(CliModule).prepareCommander(explain);
try {
  await CommandFactory.runApplication(app);
} finally {
  await app.close();
}
