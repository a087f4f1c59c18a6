import { Command, CommandRunner, Option, SubCommand } from 'nest-commander';
import { wholeNumber, type ServiceOptions } from '../service/service-command.js';
import { GenerationsCreateCommand, GenerationsPlanCommand } from './generations-create.command.js';
import { GenerationCommand } from './generation-command.js';
import { gateText, generationTable, generationText, type GenerationReply } from './generation-text.js';

/** A gate that has passed is good for 15 minutes; a little less, so that it is still good when the switch arrives. */
const GATE_GOOD_FOR_MS = 14 * 60_000;

interface ForceOptions extends ServiceOptions {
  readonly force?: boolean;
}

@SubCommand({ name: 'list', description: 'Generations of the index' })
export class GenerationsListCommand extends GenerationCommand {
  @Option({ flags: '--all', description: 'also those that are retired' })
  parseAll(): boolean {
    return true;
  }

  async run(_arguments: string[], options: ServiceOptions & { readonly all?: boolean }): Promise<void> {
    const list = await this.clientOf(options).read<{ items: GenerationReply[] }>('generations', { include_retired: options.all });
    this.show(options, list, () => generationTable(list.items));
  }
}

@SubCommand({ name: 'show', arguments: '<id>', description: 'One generation with its progress and its latest gate' })
export class GenerationsShowCommand extends GenerationCommand {
  async run([id]: string[], options: ServiceOptions): Promise<void> {
    const generation = await this.look(this.clientOf(options), wholeNumber('The id', id));
    this.show(options, generation, () => generationText(generation));
  }
}

abstract class ForcibleGenerationCommand extends GenerationCommand {
  @Option({ flags: '--force', description: 'although some rows are dead letters' })
  parseForce(): boolean {
    return true;
  }
}

@SubCommand({ name: 'gate', arguments: '<id>', description: 'Find out whether a generation may serve; exit code 1 when it may not' })
export class GenerationsGateCommand extends ForcibleGenerationCommand {
  async run([text]: string[], options: ForceOptions): Promise<void> {
    const id = wholeNumber('The id', text);
    const generation = await this.gate(this.clientOf(options), id, options.force === true);
    this.show(options, generation, () => `Generation ${id}, ${gateText(generation.gate)}`);
    if (generation.gate?.passed !== true) this.fail();
  }
}

@SubCommand({ name: 'switch', arguments: '<id>', description: 'Let a generation serve, if its gate passes; exit code 1 when it does not' })
export class GenerationsSwitchCommand extends ForcibleGenerationCommand {
  async run([text]: string[], options: ForceOptions): Promise<void> {
    const id = wholeNumber('The id', text);
    const client = this.clientOf(options);
    let generation = await this.look(client, id);
    const isGateGood = generation.gate?.passed === true && Date.now() - Date.parse(generation.gate.checked_at ?? '') < GATE_GOOD_FOR_MS;
    // Run here, although the switch would run it as well: so that its progress can be shown.
    if (!isGateGood && generation.state !== 'serving' && generation.state !== 'retired') {
      generation = await this.gate(client, id, options.force === true);
      if (generation.gate?.passed !== true) {
        this.show(options, generation, () => `Generation ${id} does not serve, ${gateText(generation.gate)}`);
        this.fail();
        return;
      }
    }
    const switched = await client.act<GenerationReply>(`generations/${id}/switch`, { force: options.force });
    this.show(options, switched, () => `Generation ${id} of ${switched.source} serves now. Back: kindred generations rollback`);
  }
}

@SubCommand({ name: 'rollback', arguments: '[id]', description: 'Go back to the generation that served before, or to this one' })
export class GenerationsRollbackCommand extends GenerationCommand {
  @Option({ flags: '--source <name>', description: 'of this source; default: projects' })
  parseSource(text: string): string {
    return text;
  }

  async run([id]: string[], options: ServiceOptions & { readonly source?: string }): Promise<void> {
    const generation = id === undefined ? undefined : wholeNumber('The id', id);
    const body = { source: options.source, generation };
    const serving = await this.clientOf(options).act<GenerationReply>('generations/rollback', body);
    this.show(options, serving, () => `Generation ${serving.id} of ${serving.source} serves again.`);
  }
}

@SubCommand({ name: 'retire', arguments: '<id>', description: 'End a generation that does not serve, for good; its index is removed' })
export class GenerationsRetireCommand extends GenerationCommand {
  async run([text]: string[], options: ServiceOptions): Promise<void> {
    const id = wholeNumber('The id', text);
    const retired = await this.clientOf(options).act<GenerationReply>(`generations/${id}/retire`);
    this.show(options, retired, () => `Generation ${id} of ${retired.source} is retired.`);
  }
}

@Command({
  name: 'generations',
  description: 'Build an index beside the one that serves, prove it, let it serve, go back',
  subCommands: [
    GenerationsListCommand,
    GenerationsShowCommand,
    GenerationsPlanCommand,
    GenerationsCreateCommand,
    GenerationsGateCommand,
    GenerationsSwitchCommand,
    GenerationsRollbackCommand,
    GenerationsRetireCommand,
  ],
})
export class GenerationsCommand extends CommandRunner {
  async run(): Promise<void> {
    this.command.help({ error: true });
  }
}
