#!/usr/bin/env node
import 'reflect-metadata';
import { printStartupError } from '#observability';
import { CommandFactory } from 'nest-commander';
import { CliModule } from './cli.module.js';

/** What commander throws has been printed by then: help that was asked for (0), or a wrong word on the command line (1). */
function isCommanderError(error: Error): error is Error & { exitCode: number } {
  return error.name === 'CommanderError' && 'exitCode' in error && typeof error.exitCode === 'number';
}

const explain = (error: Error): never => {
  if (isCommanderError(error)) process.exit(error.exitCode);
  printStartupError(error);
  process.exit(1);
};

await CommandFactory.run(CliModule, { logger: false, errorHandler: explain, serviceErrorHandler: explain });
