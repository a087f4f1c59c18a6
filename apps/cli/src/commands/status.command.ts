import { Command } from 'nest-commander';
import { ServiceCommand, type ServiceOptions } from '../service/service-command.js';
import { syncStatusText, type SyncStatus } from '../sync/sync-status.js';

@Command({ name: 'status', description: 'How far the index is' })
export class StatusCommand extends ServiceCommand {
  async run(_arguments: string[], options: ServiceOptions): Promise<void> {
    const status = await this.clientOf(options).read<SyncStatus>('sync/status');
    this.show(options, status, () => syncStatusText(status));
  }
}
