import { Command, CommandRunner } from 'nest-commander';
import { ImportPgvectorCommand } from './import-pgvector.command.js';

@Command({ name: 'import', description: 'Bring rows of other systems in', subCommands: [ImportPgvectorCommand] })
export class ImportCommand extends CommandRunner {
  async run(): Promise<void> {
    this.command.help();
  }
}
