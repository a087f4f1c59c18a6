import { renderTable } from '#kernel';
import { Command, Option } from 'nest-commander';
import { migrationSummary } from '../output/migration-summary.js';
import { ProgressLine } from '../output/progress-line.js';
import type { KindredClient } from '../service/kindred-client.js';
import { wholeNumber, type ServiceOptions } from '../service/service-command.js';
import { UsageError } from '../service/usage-error.js';
import { DrainCommand } from './drain-command.js';
import { syncStatusText, totalsOf, type SyncStatus } from './sync-status.js';

interface SyncOptions extends ServiceOptions {
  readonly batchSize?: number;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly statsOnly?: boolean;
}

const BATCH_DEFAULT = 1_000;
const BATCH_MAXIMUM = 5_000;

@Command({
  name: 'sync',
  description:
    'Wait until every change is in the index, and print what came of it; exit code 1 when rows have failed. Changes are carried by the service in any case',
})
export class SyncCommand extends DrainCommand {
  @Option({
    flags: '--batch-size <rows>',
    description: `with --force: rows marked at a time (${BATCH_DEFAULT}); the relay's own is SYNC_BATCH_SIZE`,
  })
  parseBatchSize(text: string): number {
    const rows = wholeNumber('--batch-size', text);
    if (rows > BATCH_MAXIMUM) throw new UsageError(`--batch-size must be at most ${BATCH_MAXIMUM}`);
    return rows;
  }

  @Option({ flags: '--force', description: 'write every row again, also those that are in step; dead ones are revived' })
  parseForce(): boolean {
    return true;
  }

  @Option({ flags: '--dry-run', description: 'say what would be done, and do nothing' })
  parseDryRun(): boolean {
    return true;
  }

  @Option({ flags: '--stats-only', description: 'print how far the index is, and end' })
  parseStatsOnly(): boolean {
    return true;
  }

  async run(_arguments: string[], options: SyncOptions): Promise<void> {
    const client = this.clientOf(options);
    const before = await client.read<SyncStatus>('sync/status');
    if (options.statsOnly === true) {
      this.show(options, before, () => syncStatusText(before));
      return;
    }
    if (options.dryRun === true) {
      const plan = planOf(before, options.force === true);
      this.show(options, plan, () => planText(plan));
      return;
    }
    const startedMs = performance.now();
    const total =
      options.force === true ? await this.touchAll(client, before, options.batchSize ?? BATCH_DEFAULT) : totalsOf(before).pending;
    const after = await this.drain(client, total);
    // Whoever is forced is revived first: then every dead row is one of this run.
    const deadBefore = options.force === true ? 0 : totalsOf(before).dead;
    const failed = Math.min(total, Math.max(0, totalsOf(after).dead - deadBefore));
    const outcome = { total, succeeded: total - failed, failed, elapsedMs: performance.now() - startedMs };
    const { succeeded, elapsedMs } = outcome;
    this.show(options, { total, succeeded, failed, elapsed_ms: Math.round(elapsedMs), generations: after.generations }, () =>
      [migrationSummary(outcome), ...(failed === 0 ? [] : ['Why: kindred dead-letters list'])].join('\n'),
    );
    if (failed > 0) this.fail();
  }

  /** Has every row of every generation written again. The position is kept here: a service that restarts meanwhile is asked for the same page again. */
  private async touchAll(client: KindredClient, { generations }: SyncStatus, limit: number): Promise<number> {
    const line = new ProgressLine(process.stderr);
    let touched = 0;
    try {
      for (const { id } of generations) {
        for (let after: string | null = null; ;) {
          const position: { readonly generation: number; readonly after: string | null; readonly limit: number } = {
            generation: id,
            after,
            limit,
          };
          const page = await this.persist(() => client.act<{ touched: number; next: string | null }>('sync/touch', position));
          touched += page.touched;
          line.show(`Marked ${touched} rows`);
          if (page.next === null) break;
          after = page.next;
        }
      }
    } finally {
      line.end();
    }
    return touched;
  }
}

interface SyncPlan {
  readonly dry_run: true;
  readonly pending: number;
  readonly would_touch: number;
  readonly generations: readonly { readonly id: number; readonly source: string; readonly state: string; readonly would_write: number }[];
}

function planOf(status: SyncStatus, isForced: boolean): SyncPlan {
  const { pending, synced, dead } = totalsOf(status);
  return {
    dry_run: true,
    pending,
    would_touch: isForced ? pending + synced + dead : 0,
    generations: status.generations.map(({ id, source, state, entries }) => ({
      id,
      source,
      state,
      would_write: entries.pending + (isForced ? entries.synced + entries.dead : 0),
    })),
  };
}

function planText({ pending, would_touch, generations }: SyncPlan): string {
  const table = renderTable(
    ['generation', 'source', 'state', 'would be written'],
    generations.map(({ id, source, state, would_write }) => [id, source, state, would_write]),
  );
  const forced =
    would_touch === 0 ? '' : ` ${would_touch} would be marked to be written again; texts that have their vector are not embedded again.`;
  return `${table}\n\nA dry run: nothing was done. ${pending} changes are pending.${forced}`;
}
