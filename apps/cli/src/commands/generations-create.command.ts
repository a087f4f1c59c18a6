import { Option, SubCommand } from 'nest-commander';
import { wholeNumber, type ServiceOptions } from '../service/service-command.js';
import { GenerationCommand } from './generation-command.js';
import { generationText, planText, progressText, type GenerationReply, type PlanReply } from './generation-text.js';

interface ChangeOptions extends ServiceOptions {
  readonly provider?: string;
  readonly model?: string;
  readonly dtype?: string;
  readonly dimensions?: number;
  readonly maxTokens?: number;
  readonly queryPrefix?: string;
  readonly documentPrefix?: string;
}

/** What a new generation does differently. */
abstract class GenerationChangeCommand extends GenerationCommand {
  @Option({ flags: '--provider <provider>', description: 'local, or openai: the configured service' })
  parseProvider(text: string): string {
    return text;
  }

  @Option({ flags: '--model <name>', description: 'another model (its folder name, owner/name on the hub, or its name at the service)' })
  parseModel(text: string): string {
    return text;
  }

  @Option({ flags: '--dtype <dtype>', description: 'precision of a local model: q8, fp16 or fp32' })
  parseDtype(text: string): string {
    return text;
  }

  @Option({ flags: '--dimensions <number>', description: 'fewer dimensions than the model of a service has' })
  parseDimensions(text: string): number {
    return wholeNumber('--dimensions', text);
  }

  @Option({ flags: '--max-tokens <number>', description: 'tokens of a text that are read' })
  parseMaxTokens(text: string): number {
    return wholeNumber('--max-tokens', text);
  }

  @Option({ flags: '--query-prefix <text>', description: 'put before every search text' })
  parseQueryPrefix(text: string): string {
    return text;
  }

  @Option({ flags: '--document-prefix <text>', description: 'put before every text of a row' })
  parseDocumentPrefix(text: string): string {
    return text;
  }

  /** The body of the request. */
  protected bodyOf(source = MAIN_SOURCE, options: ChangeOptions): object {
    const { provider, model, dtype, dimensions, maxTokens, queryPrefix, documentPrefix } = options;
    const texts = { max_tokens: maxTokens, query_prefix: queryPrefix, document_prefix: documentPrefix };
    return { source, embedder: { provider, model, dtype, dimensions, ...texts } };
  }
}

/** What a command means that names no source. */
const MAIN_SOURCE = 'projects';

@SubCommand({ name: 'plan', arguments: '[source]', description: 'What a new generation would cost; changes nothing' })
export class GenerationsPlanCommand extends GenerationChangeCommand {
  async run([source]: string[], options: ChangeOptions): Promise<void> {
    const client = this.clientOf(options);
    const plan = await client.act<PlanReply>('generations', { ...this.bodyOf(source, options), dry_run: true });
    this.show(options, plan, () => planText(plan));
  }
}

@SubCommand({ name: 'create', arguments: '[source]', description: 'Build a new generation; searches go on with the one that serves' })
export class GenerationsCreateCommand extends GenerationChangeCommand {
  @Option({ flags: '--reason <text>', description: 'why, for the people who see it later' })
  parseReason(text: string): string {
    return text;
  }

  @Option({ flags: '--wait', description: 'wait until nothing is pending' })
  parseWait(): boolean {
    return true;
  }

  async run([source]: string[], options: ChangeOptions & { readonly reason?: string; readonly wait?: boolean }): Promise<void> {
    const client = this.clientOf(options);
    const body = { ...this.bodyOf(source, options), reason: options.reason };
    const { id } = await client.act<GenerationReply>('generations', body);
    if (options.wait !== true) {
      const created = await this.look(client, id);
      this.show(options, created, () => `${generationText(created)}\nWhen it is filled: kindred generations switch ${id}`);
      return;
    }
    const built = await this.follow(
      () => this.look(client, id),
      ({ progress }) => progress.is_filled && progress.entries.pending === 0,
      (generation) => `Generation ${id}: ${progressText(generation)}`,
    );
    this.show(options, built, () => generationText(built));
  }
}
