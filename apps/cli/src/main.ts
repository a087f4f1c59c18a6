#!/usr/bin/env node
import 'reflect-metadata';
import { InvalidEnvironmentError } from '#config';
import { FatalStartupError } from '#kernel';
import { CommandFactory } from 'nest-commander';
import { CliModule } from './cli.module.js';

function explain(error: unknown): never {
  const isExplained = error instanceof InvalidEnvironmentError || error instanceof FatalStartupError;
  process.stderr.write(`${isExplained ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}

await CommandFactory.run(CliModule, {
  logger: false,
  cliName: 'kindred',
  errorHandler: explain,
  serviceErrorHandler: explain,
});
