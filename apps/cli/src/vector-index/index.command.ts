import { Command, CommandRunner } from 'nest-commander';
import { IndexCheckCommand } from './index-check.command.js';
import { IndexInitCommand } from './index-init.command.js';
import { IndexMigrateCommand } from './index-migrate.command.js';
import { IndexRebuildCommand } from './index-rebuild.command.js';
import { IndexStatsCommand } from './index-stats.command.js';
import { IndexValidateCommand } from './index-validate.command.js';

export const INDEX_COMMANDS = [
  IndexInitCommand,
  IndexCheckCommand,
  IndexValidateCommand,
  IndexStatsCommand,
  IndexRebuildCommand,
  IndexMigrateCommand,
];

@Command({ name: 'index', description: 'Make, check, prove, rebuild and move the vector index', subCommands: INDEX_COMMANDS })
export class IndexCommand extends CommandRunner {
  async run(): Promise<void> {
    this.command.help({ error: true });
  }
}
