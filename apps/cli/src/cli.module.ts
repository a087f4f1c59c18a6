import { Module } from '@nestjs/common';
import { InjectCommander } from 'nest-commander';
import { BackupCommand } from './backup/backup.command.js';
import { RestoreCommand } from './backup/restore.command.js';
import { AuditCommand, AuditExportCommand, AuditListCommand } from './commands/audit.command.js';
import { CachesClearCommand, CachesCommand, CachesStatsCommand } from './commands/caches.command.js';
import {
  CertificateCommand,
  CertificatesCommand,
  CertificatesLatestCommand,
  CertificatesListCommand,
  CertificatesShowCommand,
} from './commands/certificates.command.js';
import {
  DeadLettersCommand,
  DeadLettersListCommand,
  DeadLettersMuteCommand,
  DeadLettersRequeueCommand,
  DeadLettersUnmuteCommand,
} from './commands/dead-letters.command.js';
import { ErasuresCommand } from './commands/erasures.command.js';
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
import { JobsCancelCommand, JobsCommand, JobsListCommand, JobsShowCommand } from './commands/jobs.command.js';
import { LogLevelsCommand, LogLevelsResetCommand, LogLevelsSetCommand, LogLevelsShowCommand } from './commands/log-levels.command.js';
import { ReconcileCommand } from './commands/reconcile.command.js';
import { SchedulesCommand, SchedulesListCommand, SchedulesRunCommand, SchedulesShowCommand } from './commands/schedules.command.js';
import { StatusCommand } from './commands/status.command.js';
import { CompletionCommand } from './completion/completion.command.js';
import { DemoCommand } from './demo/demo.command.js';
import { BenchCommand } from './bench/bench.command.js';
import { ConfigCommand } from './config/config.command.js';
import { KEY_COMMANDS, KeysCommand } from './keys/keys.command.js';
import { DoctorCommand } from './doctor/doctor.command.js';
import { FaultsCommand } from './doctor/faults.command.js';
import { RestoreDrillCommand } from './doctor/restore-drill.command.js';
import { SearchCommand } from './search/search.command.js';
import { SyncCommand } from './sync/sync.command.js';
import { INDEX_COMMANDS, IndexCommand } from './vector-index/index.command.js';
import { ExportCommand } from './transfer/export.command.js';
import { ImportCommand } from './transfer/import.command.js';
import { readCommandTree, type CommanderCommand, type CommandNode } from './program/command-tree.js';
import { helpTail } from './program/examples.js';
import type { FailureOutput } from './program/failure-output.js';
import { kindredVersion } from './program/kindred-version.js';
import { MigrationCommand, MigrationGenerateCommand, MigrationRevertCommand, MigrationRunCommand } from './migration.command.js';

/** Commands start what they need themselves: none of them should pay for the others. */
@Module({
  providers: [
    DemoCommand,
    StatusCommand,
    SyncCommand,
    SearchCommand,
    ConfigCommand,
    BenchCommand,
    ...[KeysCommand, ...KEY_COMMANDS],
    ...[IndexCommand, ...INDEX_COMMANDS],
    ReconcileCommand,
    ExportCommand,
    ...[CertificateCommand, CertificatesCommand, CertificatesListCommand, CertificatesShowCommand, CertificatesLatestCommand],
    ...[CompletionCommand, DoctorCommand],
    ...[DeadLettersCommand, DeadLettersListCommand, DeadLettersRequeueCommand, DeadLettersMuteCommand, DeadLettersUnmuteCommand],
    ...[GenerationsCommand, GenerationsListCommand, GenerationsShowCommand, GenerationsPlanCommand, GenerationsCreateCommand],
    ...[GenerationsGateCommand, GenerationsSwitchCommand, GenerationsRollbackCommand, GenerationsRetireCommand],
    ...[SchedulesCommand, SchedulesListCommand, SchedulesShowCommand, SchedulesRunCommand],
    ...[AuditCommand, AuditListCommand, AuditExportCommand],
    ...[CachesCommand, CachesStatsCommand, CachesClearCommand],
    ...[LogLevelsCommand, LogLevelsShowCommand, LogLevelsSetCommand, LogLevelsResetCommand],
    ...[JobsCommand, JobsListCommand, JobsShowCommand, JobsCancelCommand],
    ErasuresCommand,
    ...[ImportCommand, ImportPgvectorCommand],
    ...[BackupCommand, RestoreCommand, DoctorCommand, RestoreDrillCommand, FaultsCommand],
    ...[MigrationCommand, MigrationRunCommand, MigrationRevertCommand, MigrationGenerateCommand],
  ],
})
export class CliModule {
  constructor(@InjectCommander() private readonly commander: CommanderCommand) {
    commander
      .name('kindred')
      .description('Keeps PostgreSQL rows and a vector index in step, and finds the rows that are alike')
      .version(kindredVersion(), '--version', 'print the version');
  }

  /** What the program knows, as its parser has it. */
  tree(): CommandNode {
    return readCommandTree(this.commander);
  }

  /**
   * Settings that subcommands do not inherit from the program: the handler decides how the program ends when commander would end it, and an option behind the
   * name of a subcommand belongs to that one, though the command before knows it too. A word too many is a mistake: half of a text that wants quotes, or the name of
   * a command that there is not.
   */
  prepareCommander(handler: (error: Error) => never, output: FailureOutput): void {
    const prepare = (command: CommanderCommand, path: string): void => {
      command.exitOverride(handler).enablePositionalOptions().configureOutput(output.commanderOutput).addHelpText('after', helpTail(path));
      const isGroup = command.commands.length > 0 && command.registeredArguments.length === 0;
      command.allowExcessArguments(isGroup);
      if (isGroup) {
        command.hook('preAction', (self, acting) => {
          if (acting === self && self.args.length > 0) self.unknownCommand();
        });
      }
      for (const child of command.commands) prepare(child, `${path} ${child.name()}`.trim());
    };
    prepare(this.commander, '');
  }
}
