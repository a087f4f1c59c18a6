import { Option, SubCommand } from 'nest-commander';
import { certificateText, type CertificateReply } from '../commands/certificate-text.js';
import type { GenerationReply } from '../commands/generation-text.js';
import { migrationSummary } from '../output/migration-summary.js';
import type { KindredClient } from '../service/kindred-client.js';
import type { ServiceOptions } from '../service/service-command.js';
import { ServiceError } from '../service/service-error.js';
import { DrainCommand } from '../sync/drain-command.js';
import { totalsOf, type SyncStatus } from '../sync/sync-status.js';
import { INDEX_HEALTH_PATH, indexText, isComplete, type IndexHealth } from './index-health.js';
import { inspectOldStore, type OldStore } from './old-store.js';
import { isClean, validate } from './validation.js';

interface MigrateOptions extends ServiceOptions {
  readonly from?: string;
}

interface Migration {
  readonly from: OldStore | null;
  readonly health: IndexHealth;
  readonly certificates: readonly CertificateReply[];
  readonly elapsedMs: number;
}

@SubCommand({
  name: 'migrate',
  description:
    'Move the index to the store that is configured now, for example from the local one to Qdrant: every row is written there with the vector that PostgreSQL has kept, and compared. Exit code 1 unless all agree',
})
export class IndexMigrateCommand extends DrainCommand {
  @Option({
    flags: '--from <folder>',
    description: 'data directory of the local store before: refuse when it belongs to another database. Nothing is read from it',
  })
  parseFrom(text: string): string {
    return text;
  }

  async run(_arguments: string[], options: MigrateOptions): Promise<void> {
    const startedMs = performance.now();
    const migration = await this.withService(options, async (client): Promise<Migration> => {
      const from = options.from === undefined ? null : await oldStoreOf(client, options.from);
      const health = await this.collections(client);
      const status = await client.read<SyncStatus>('sync/status');
      await this.drain(client, totalsOf(status).pending);
      const certificates = await validate(client, {}, (...following) => this.follow(...following));
      return { from, health, certificates, elapsedMs: performance.now() - startedMs };
    });
    const counts = countsOf(migration.certificates);
    const isMigrated = migration.certificates.length > 0 && migration.certificates.every(isClean);
    const { from, health, certificates, elapsedMs } = migration;
    const json = { migrated: isMigrated, ...counts, elapsed_ms: Math.round(elapsedMs), store_type: health.store_type, from, certificates };
    this.show(options, json, () => textOf(migration, isMigrated));
    if (!isMigrated) this.fail();
  }

  /** The service makes them in the configured store by itself, as soon as that answers. */
  private collections(client: KindredClient): Promise<IndexHealth> {
    return this.follow(
      () => client.health<IndexHealth>(INDEX_HEALTH_PATH),
      isComplete,
      (health) => (health.status === 'unhealthy' ? `${indexText(health)} It is asked again` : 'The service makes the collections'),
    );
  }
}

/** @throws ServiceError when the folder is the store of another database */
async function oldStoreOf(client: KindredClient, path: string): Promise<OldStore> {
  const { items } = await client.read<{ items: GenerationReply[] }>('generations', { include_retired: true });
  const store = await inspectOldStore(path, items);
  if (store.known.length === 0)
    throw new ServiceError(
      `${store.folder} holds no index of this database (${store.unknown.join(', ')}). Nothing was done. Is DATABASE_URL that of the service before?`,
      'cli.other-database',
    );
  return store;
}

function countsOf(certificates: readonly CertificateReply[]): { total: number; succeeded: number; failed: number } {
  const total = certificates.reduce((sum, { rows }) => sum + rows, 0);
  const succeeded = certificates.reduce((sum, { verified }) => sum + verified, 0);
  return { total, succeeded, failed: Math.max(0, total - succeeded) };
}

function textOf({ from, health, certificates, elapsedMs }: Migration, isMigrated: boolean): string {
  const store =
    from === null
      ? []
      : [
          `${from.folder}: ${from.known.map(({ source, generation }) => `generation ${generation} of ${source}`).join(', ')}, of this database.`,
        ];
  const end = isMigrated ? 'Rows and index agree.' : 'They do not all agree: kindred reconcile --wait, kindred dead-letters list.';
  return [
    ...store,
    indexText(health),
    ...certificates.map(certificateText),
    '',
    migrationSummary({ ...countsOf(certificates), elapsedMs }),
    end,
  ].join('\n');
}
