import { SubCommand } from 'nest-commander';
import type { KindredClient } from '../service/kindred-client.js';
import { ServiceCommand, type ServiceOptions } from '../service/service-command.js';
import { ServiceError } from '../service/service-error.js';
import { collectionTable, indexText, INDEX_HEALTH_PATH, type IndexHealth, type IndexStatsReply } from './index-health.js';

@SubCommand({
  name: 'check',
  description: 'Whether the index answers, how fast, and which collections searches use; exit code 1 when it does not',
})
export class IndexCheckCommand extends ServiceCommand {
  async run(_arguments: string[], options: ServiceOptions): Promise<void> {
    const client = this.clientOf(options);
    const startedMs = performance.now();
    const health = await client.health<IndexHealth>(INDEX_HEALTH_PATH);
    const roundTripMs = Math.round((performance.now() - startedMs) * 10) / 10;
    const seen = { ...health, server: { ...health.server, version: await versionOf(client) } };
    this.show(options, { ...seen, round_trip_ms: roundTripMs }, () => `${indexText(seen)}\n\n${collectionTable(seen)}`);
    if (health.status === 'unhealthy') this.fail();
  }
}

/** Needs a key with admin:read, which the rest of the check does not; `null` = not told, or the index does not answer. */
async function versionOf(client: KindredClient): Promise<string | null> {
  try {
    return (await client.read<IndexStatsReply>('index/stats')).version;
  } catch (error) {
    if (error instanceof ServiceError) return null;
    throw error;
  }
}
