import { Option, SubCommand } from 'nest-commander';
import { GenerationCommand } from '../commands/generation-command.js';
import { gateText, generationText, progressText, type GenerationReply } from '../commands/generation-text.js';
import type { KindredClient } from '../service/kindred-client.js';
import type { ServiceOptions } from '../service/service-command.js';

interface RebuildOptions extends ServiceOptions {
  readonly wait?: boolean;
  readonly force?: boolean;
  readonly reason?: string;
}

const MAIN_SOURCE = 'projects';
const REASON_DEFAULT = 'kindred index rebuild';

@SubCommand({
  name: 'rebuild',
  arguments: '[source]',
  description:
    'Build the index of a source (projects) anew beside the one that serves; with --wait also prove it and let it serve. Texts that have their vector are not embedded again',
})
export class IndexRebuildCommand extends GenerationCommand {
  @Option({ flags: '--wait', description: 'wait until it is built, run its gate, and switch; exit code 1 when the gate refuses' })
  parseWait(): boolean {
    return true;
  }

  @Option({ flags: '--force', description: 'switch although some rows are dead letters' })
  parseForce(): boolean {
    return true;
  }

  @Option({ flags: '--reason <text>', description: 'why, for the people who see it later' })
  parseReason(text: string): string {
    return text;
  }

  async run([source = MAIN_SOURCE]: string[], options: RebuildOptions): Promise<void> {
    const client = this.clientOf(options);
    const { id } = await client.act<GenerationReply>('generations', { source, reason: options.reason ?? REASON_DEFAULT });
    if (options.wait === true) {
      await this.proveAndSwitch(client, id, options);
      return;
    }
    const created = await this.look(client, id);
    this.show(options, created, () => `${generationText(created)}\nWhen it is filled: kindred generations switch ${id}`);
  }

  private async proveAndSwitch(client: KindredClient, id: number, options: RebuildOptions): Promise<void> {
    await this.follow(
      () => this.look(client, id),
      ({ progress }) => progress.is_filled && progress.entries.pending === 0,
      (generation) => `Generation ${id}: ${progressText(generation)}`,
    );
    const proven = await this.gate(client, id, options.force === true);
    if (proven.gate?.passed !== true) {
      this.show(options, proven, () => `Generation ${id} does not serve, ${gateText(proven.gate)}`);
      this.fail();
      return;
    }
    await client.act<GenerationReply>(`generations/${id}/switch`, { force: options.force });
    const serving = await this.look(client, id);
    this.show(options, serving, () => `${generationText(serving)}\nIt serves now. Back: kindred generations rollback`);
  }
}
