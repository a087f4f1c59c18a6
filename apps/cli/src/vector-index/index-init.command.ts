import { Option, SubCommand } from 'nest-commander';
import { wholeNumber, type ServiceOptions } from '../service/service-command.js';
import { ServedCommand } from '../service/served-command.js';
import { collectionTable, INDEX_HEALTH_PATH, isComplete, type IndexHealth } from './index-health.js';

interface InitOptions extends ServiceOptions {
  readonly timeout?: number;
}

const TIMEOUT_DEFAULT_SECONDS = 60;

@SubCommand({
  name: 'init',
  description:
    'Make sure that every source has its collection; the service makes them, and is started for it when none runs. Changes nothing that is there',
})
export class IndexInitCommand extends ServedCommand {
  @Option({ flags: '--timeout <seconds>', description: `wait at most so long for them (${TIMEOUT_DEFAULT_SECONDS})` })
  parseTimeout(text: string): number {
    return wholeNumber('--timeout', text);
  }

  async run(_arguments: string[], options: InitOptions): Promise<void> {
    const untilMs = performance.now() + (options.timeout ?? TIMEOUT_DEFAULT_SECONDS) * 1_000;
    const health = await this.withService(options, (client) =>
      this.follow(
        () => client.health<IndexHealth>(INDEX_HEALTH_PATH),
        (reply) => isComplete(reply) || performance.now() > untilMs,
        () => 'The service makes the collections',
      ),
    );
    const isReady = isComplete(health);
    this.show(options, { initialized: isReady, ...health }, () => {
      const end = isReady
        ? 'Every source has its collection.'
        : 'Not every collection is there. kindred index check says whether the index answers.';
      return `${collectionTable(health)}\n\n${end}`;
    });
    if (!isReady) this.fail();
  }
}
