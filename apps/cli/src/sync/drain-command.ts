import { partsText } from '../output/progress-bar.js';
import type { KindredClient } from '../service/kindred-client.js';
import { ServedCommand } from '../service/served-command.js';
import { obstacleOf, totalsOf, type SyncStatus } from './sync-status.js';

/** Commands that wait until every change is in the index. */
export abstract class DrainCommand extends ServedCommand {
  /** Follows the backlog to its end. Ctrl-C leaves it to the service. @param total rows that were due when it began */
  protected async drain(client: KindredClient, total: number): Promise<SyncStatus> {
    const startedMs = performance.now();
    const leave = (): never => {
      process.stderr.write('\nThe service goes on by itself. See how far it is with: kindred status\n');
      process.exit(1);
    };
    process.once('SIGINT', leave);
    try {
      return await this.follow(
        () => client.read<SyncStatus>('sync/status'),
        (status) => totalsOf(status).pending === 0,
        (status) => {
          const done = Math.max(0, total - totalsOf(status).pending);
          const obstacle = obstacleOf(status);
          const elapsedMs = performance.now() - startedMs;
          return `${partsText(done, total, elapsedMs, process.stderr.isTTY === true)}${obstacle === null ? '' : ` (${obstacle})`}`;
        },
      );
    } finally {
      process.removeListener('SIGINT', leave);
    }
  }
}
