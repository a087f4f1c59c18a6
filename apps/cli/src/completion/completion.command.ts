import { Command, CommandRunner, InjectCommander } from 'nest-commander';
import { readCommandTree, type CommanderCommand } from '../program/command-tree.js';
import { UsageError } from '../service/usage-error.js';
import { completionScript, SHELLS } from './completion-script.js';

@Command({
  name: 'completion',
  arguments: '<shell>',
  description: `Print a script for ${SHELLS.join(', ')} that completes commands and options`,
})
export class CompletionCommand extends CommandRunner {
  constructor(@InjectCommander() private readonly program: CommanderCommand) {
    super();
  }

  async run([word]: string[]): Promise<void> {
    const shell = SHELLS.find((one) => one === word);
    if (shell === undefined) throw new UsageError(`Say which shell: ${SHELLS.join(', ')}`);
    process.stdout.write(completionScript(shell, readCommandTree(this.program)));
  }
}
