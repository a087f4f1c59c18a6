import { SubCommand } from 'nest-commander';
import { ServiceCommand, type ServiceOptions } from '../service/service-command.js';
import { collectionTable, indexText, INDEX_HEALTH_PATH, type IndexHealth } from './index-health.js';

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
    this.show(options, { ...health, round_trip_ms: roundTripMs }, () => `${indexText(health)}\n\n${collectionTable(health)}`);
    if (health.status === 'unhealthy') this.fail();
  }
}
