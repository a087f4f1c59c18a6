import type { KindredClient } from '../service/kindred-client.js';
import { ServiceCommand } from '../service/service-command.js';
import { progressText, type GenerationDetailReply } from './generation-text.js';

/** What the commands on one generation have in common. */
export abstract class GenerationCommand extends ServiceCommand {
  protected look(client: KindredClient, id: number): Promise<GenerationDetailReply> {
    return client.read(`generations/${id}`);
  }

  /** Runs a gate to its end. */
  protected async gate(client: KindredClient, id: number, force: boolean): Promise<GenerationDetailReply> {
    await client.act(`generations/${id}/gate`, { force });
    return this.follow(
      () => this.look(client, id),
      ({ gate }) => gate !== null && gate.status !== 'running',
      (generation) => `The gate runs: ${progressText(generation)}`,
    );
  }
}
