#!/usr/bin/env node
import 'reflect-metadata';
import { printStartupError } from '#observability';
import { CommandFactory } from 'nest-commander';
import { CliModule } from './cli.module.js';

const explain = (error: Error): never => {
  printStartupError(error);
  process.exit(1);
};

await CommandFactory.run(CliModule, { logger: false, cliName: 'kindred', errorHandler: explain, serviceErrorHandler: explain });
