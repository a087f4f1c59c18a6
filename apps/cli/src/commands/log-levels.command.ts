import { isLogComponent, isLogLevel, LOG_COMPONENTS, LOG_LEVELS, renderTable } from '#kernel';
import { Command, CommandRunner, SubCommand } from 'nest-commander';
import { ServiceCommand, type ServiceOptions } from '../service/service-command.js';
import { UsageError } from '../service/usage-error.js';

interface Levels {
  readonly levels: Readonly<Record<string, string>>;
}

/** For people; the sign that the service has for it means something to a shell. */
const ALL = 'all';

@SubCommand({ name: 'show', description: 'Which lines of which component the process that answers writes' })
export class LogLevelsShowCommand extends ServiceCommand {
  async run(_arguments: string[], options: ServiceOptions): Promise<void> {
    const reply = await this.clientOf(options).read<Levels>('log-levels');
    this.show(options, reply, () => levelTable(reply));
  }
}

@SubCommand({
  name: 'set',
  arguments: '<component> <level>',
  description: `Change it at once, in the process that answers, until it ends. Components: ${ALL}, ${LOG_COMPONENTS.join(', ')}. Levels: ${LOG_LEVELS.join(', ')}`,
})
export class LogLevelsSetCommand extends ServiceCommand {
  async run([component, level]: string[], options: ServiceOptions): Promise<void> {
    if (component !== ALL && !isLogComponent(component!))
      throw new UsageError(`There is no component ${component}; there are ${[ALL, ...LOG_COMPONENTS].join(', ')}.`);
    if (!isLogLevel(level!)) throw new UsageError(`There is no level ${level}; there are ${LOG_LEVELS.join(', ')}.`);
    const body = { component: component === ALL ? '*' : component, level };
    const reply = await this.clientOf(options).call<Levels>('PUT', '/api/v1/admin/log-levels', body);
    this.show(options, reply, () => levelTable(reply));
  }
}

@SubCommand({ name: 'reset', description: 'Go back to what LOG_LEVEL says, in the process that answers' })
export class LogLevelsResetCommand extends ServiceCommand {
  async run(_arguments: string[], options: ServiceOptions): Promise<void> {
    const reply = await this.clientOf(options).act<Levels>('log-levels/reset');
    this.show(options, reply, () => levelTable(reply));
  }
}

@Command({
  name: 'log-levels',
  description: 'What a process of the service writes into its log',
  subCommands: [LogLevelsShowCommand, LogLevelsSetCommand, LogLevelsResetCommand],
})
export class LogLevelsCommand extends CommandRunner {
  async run(): Promise<void> {
    this.command.help({ error: true });
  }
}

function levelTable({ levels }: Levels): string {
  return renderTable(['component', 'level'], Object.entries(levels));
}
