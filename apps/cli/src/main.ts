#!/usr/bin/env node
import 'reflect-metadata';
import { CommandFactory } from 'nest-commander';
import { CliModule } from './cli.module.js';
import { FailureOutput } from './program/failure-output.js';
import { isKeyInArguments } from './service/api-key.js';

const words = process.argv.slice(2);
// The title takes the place of the command line in the list of processes.
if (isKeyInArguments(words)) process.title = 'kindred';

// Whoever reads the output may have had enough of it: kindred … | head.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
  throw error;
});

const output = new FailureOutput(words.includes('--json'));
const explain = (error: Error): never => process.exit(output.print(error));

const app = await CommandFactory.createWithoutRunning(CliModule, { logger: false, errorHandler: explain, serviceErrorHandler: explain });
app.get(CliModule).prepareCommander(explain, output);
try {
  await CommandFactory.runApplication(app);
} finally {
  await app.close();
}
