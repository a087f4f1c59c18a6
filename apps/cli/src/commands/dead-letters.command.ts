import { renderTable } from '#kernel';
import { CommandRunner, Command, Option, SubCommand } from 'nest-commander';
import { timeText } from '../output/words.js';
import { ServiceCommand, wholeNumber, type ServiceOptions } from '../service/service-command.js';
import { UsageError } from '../service/usage-error.js';

interface DeadLetterPage {
  readonly items: readonly {
    readonly source_id: string;
    readonly generation: number;
    readonly attempts: number;
    readonly error: { readonly code: string; readonly message: string };
    readonly changed_at: string;
    readonly muted: { readonly reason: string; readonly at: string } | null;
  }[];
  readonly next_cursor: string | null;
}

interface ScopeOptions extends ServiceOptions {
  readonly source?: string;
  readonly generation?: number;
  readonly code?: string;
}

/** Options of all commands on dead letters. */
abstract class DeadLetterIdsCommand extends ServiceCommand {
  @Option({ flags: '--source <name>', description: 'only of this source' })
  parseSource(text: string): string {
    return text;
  }

  @Option({ flags: '--generation <id>', description: 'only of this generation' })
  parseGeneration(text: string): number {
    return wholeNumber('--generation', text);
  }
}

/** Options that narrow down which dead letters are meant. */
abstract class DeadLetterScopeCommand extends DeadLetterIdsCommand {
  @Option({ flags: '--code <code>', description: 'only what failed with this code' })
  parseCode(text: string): string {
    return text;
  }
}

@SubCommand({ name: 'list', description: 'Rows that the index has given up on, with the reason' })
export class DeadLettersListCommand extends DeadLetterScopeCommand {
  @Option({ flags: '--limit <number>', description: 'at most so many (50)' })
  parseLimit(text: string): number {
    return wholeNumber('--limit', text);
  }

  @Option({ flags: '--cursor <cursor>', description: 'the page after this one' })
  parseCursor(text: string): string {
    return text;
  }

  async run(_arguments: string[], options: ScopeOptions & { readonly limit?: number; readonly cursor?: string }): Promise<void> {
    const { source, generation, code, limit, cursor } = options;
    const page = await this.clientOf(options).read<DeadLetterPage>('dead-letters', { source, generation, code, limit, cursor });
    this.show(options, page, () => render(page));
  }
}

@SubCommand({ name: 'requeue', arguments: '[ids...]', description: 'Try dead letters again: the ids given, all with --code, or --all' })
export class DeadLettersRequeueCommand extends DeadLetterScopeCommand {
  @Option({ flags: '--all', description: 'everything' })
  parseAll(): boolean {
    return true;
  }

  async run(ids: string[], options: ScopeOptions & { readonly all?: boolean }): Promise<void> {
    const { source, generation, code, all } = options;
    const chosen = [ids.length > 0, code !== undefined, all === true].filter(Boolean).length;
    if (chosen !== 1) throw new UsageError('Say which: ids, or --code, or --all; one of them.');
    const selection = ids.length > 0 ? { ids } : { code, all };
    const reply = await this.clientOf(options).act<{ requeued: number }>('dead-letters/requeue', { ...selection, source, generation });
    this.show(options, reply, () => `${reply.requeued} tried again.`);
  }
}

@SubCommand({
  name: 'mute',
  arguments: '<ids...>',
  description: 'Leave dead letters as they are: out of counts and alerts until their row changes or they are requeued',
})
export class DeadLettersMuteCommand extends DeadLetterIdsCommand {
  @Option({ flags: '--reason <text>', required: true, description: 'why, for the people who see it later' })
  parseReason(text: string): string {
    return text;
  }

  async run(ids: string[], options: ScopeOptions & { readonly reason: string }): Promise<void> {
    const { source, generation, reason } = options;
    const reply = await this.clientOf(options).act<{ muted: number }>('dead-letters/mute', { ids, reason, source, generation });
    this.show(options, reply, () => `${reply.muted} muted.`);
  }
}

@SubCommand({ name: 'unmute', arguments: '<ids...>', description: 'Let muted dead letters count again' })
export class DeadLettersUnmuteCommand extends DeadLetterIdsCommand {
  async run(ids: string[], options: ScopeOptions): Promise<void> {
    const { source, generation } = options;
    const reply = await this.clientOf(options).act<{ unmuted: number }>('dead-letters/unmute', { ids, source, generation });
    this.show(options, reply, () => `${reply.unmuted} count again.`);
  }
}

@Command({
  name: 'dead-letters',
  description: 'Rows that the index has given up on',
  subCommands: [DeadLettersListCommand, DeadLettersRequeueCommand, DeadLettersMuteCommand, DeadLettersUnmuteCommand],
})
export class DeadLettersCommand extends CommandRunner {
  async run(): Promise<void> {
    this.command.help({ error: true });
  }
}

function render({ items, next_cursor }: DeadLetterPage): string {
  if (items.length === 0) return 'There are no dead letters.';
  const table = renderTable(
    ['id', 'generation', 'attempts', 'changed', 'code', 'message', 'muted'],
    items.map(({ source_id, generation, attempts, changed_at, error, muted }) => [
      source_id,
      generation,
      attempts,
      timeText(changed_at),
      error.code,
      error.message.slice(0, 80),
      muted?.reason ?? '-',
    ]),
  );
  return next_cursor === null ? table : `${table}\nMore: --cursor ${next_cursor}`;
}
