import { Module } from '@nestjs/common';
import { InjectCommander } from 'nest-commander';
import {
  CertificatesCommand,
  CertificatesLatestCommand,
  CertificatesListCommand,
  CertificatesShowCommand,
} from './commands/certificates.command.js';
import { DeadLettersCommand, DeadLettersListCommand, DeadLettersRequeueCommand } from './commands/dead-letters.command.js';
import { GenerationsCreateCommand, GenerationsPlanCommand } from './commands/generations-create.command.js';
import {
  GenerationsCommand,
  GenerationsGateCommand,
  GenerationsListCommand,
  GenerationsRetireCommand,
  GenerationsRollbackCommand,
  GenerationsShowCommand,
  GenerationsSwitchCommand,
} from './commands/generations.command.js';
import { ImportPgvectorCommand } from './commands/import-pgvector.command.js';
import { ReconcileCommand } from './commands/reconcile.command.js';
import { SchedulesCommand, SchedulesListCommand, SchedulesRunCommand } from './commands/schedules.command.js';
import { StatusCommand } from './commands/status.command.js';
import { DemoCommand } from './demo/demo.command.js';
import { ExportCommand } from './transfer/export.command.js';
import { ImportCommand } from './transfer/import.command.js';
import { MigrationCommand, MigrationGenerateCommand, MigrationRevertCommand, MigrationRunCommand } from './migration.command.js';

/** The part of the command line parser that is used here; the package belongs to nest-commander. */
interface CommanderCommand {
  readonly commands: readonly CommanderCommand[];
  name(name: string): CommanderCommand;
  description(text: string): CommanderCommand;
  exitOverride(handler: (error: Error) => never): CommanderCommand;
  enablePositionalOptions(): CommanderCommand;
}

/** Commands start what they need themselves: none of them should pay for the others. */
@Module({
  providers: [
    DemoCommand,
    StatusCommand,
    ReconcileCommand,
    ExportCommand,
    ...[CertificatesCommand, CertificatesListCommand, CertificatesShowCommand, CertificatesLatestCommand],
    ...[DeadLettersCommand, DeadLettersListCommand, DeadLettersRequeueCommand],
    ...[GenerationsCommand, GenerationsListCommand, GenerationsShowCommand, GenerationsPlanCommand, GenerationsCreateCommand],
    ...[GenerationsGateCommand, GenerationsSwitchCommand, GenerationsRollbackCommand, GenerationsRetireCommand],
    ...[SchedulesCommand, SchedulesListCommand, SchedulesRunCommand],
    ...[ImportCommand, ImportPgvectorCommand],
    ...[MigrationCommand, MigrationRunCommand, MigrationRevertCommand, MigrationGenerateCommand],
  ],
})
export class CliModule {
  constructor(@InjectCommander() private readonly commander: CommanderCommand) {
    commander.name('kindred').description('Keeps PostgreSQL rows and a vector index in step, and finds the rows that are alike');
  }

  /**
   * Settings that subcommands do not inherit from the program: the handler decides how the program ends when commander would end it, and an option behind the
   * name of a subcommand belongs to that one, though the command before knows it too.
   */
  prepareCommander(handler: (error: Error) => never): void {
    const prepare = (command: CommanderCommand): void => {
      command.exitOverride(handler).enablePositionalOptions();
      command.commands.forEach(prepare);
    };
    prepare(this.commander);
  }
}
