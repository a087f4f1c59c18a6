import { Module } from '@nestjs/common';
import { InjectCommander } from 'nest-commander';
import { DemoCommand } from './demo/demo.command.js';
import { MigrationCommand, MigrationGenerateCommand, MigrationRevertCommand, MigrationRunCommand } from './migration.command.js';

/** The part of the command line parser that is used here; the package belongs to nest-commander. */
interface NamedCommand {
  name(name: string): NamedCommand;
  description(text: string): NamedCommand;
}

/** Commands start what they need themselves: none of them should pay for the others. */
@Module({ providers: [DemoCommand, MigrationCommand, MigrationRunCommand, MigrationRevertCommand, MigrationGenerateCommand] })
export class CliModule {
  constructor(@InjectCommander() commander: NamedCommand) {
    commander.name('kindred').description('Keeps PostgreSQL rows and a vector index in step, and finds the rows that are alike');
  }
}
