import { Command, Option } from 'nest-commander';
import { findRunningDatabase, findRunningService } from '../service/service-url.js';
import { ServiceCommand, type ServiceOptions } from '../service/service-command.js';
import { ServiceError } from '../service/service-error.js';
import { checkConfig, checkDataDir, checkNode, checkPort } from './check-machine.js';
import { checkOperations } from './check-operations.js';
import { checkHealth } from './check-service.js';
import { findingText, summaryOf, warn, type Finding } from './finding.js';
import { FaultsCommand } from './faults.command.js';
import { RestoreDrillCommand } from './restore-drill.command.js';

interface DoctorOptions extends ServiceOptions {
  readonly skipHealth?: boolean;
  readonly skipOperations?: boolean;
  readonly verbose?: boolean;
}

/** Looks at everything that Kindred needs; sub-commands try what only a scratch place may go through. */
@Command({
  name: 'doctor',
  description:
    'First aid: look at everything that Kindred needs, and say what to do; exit code 1 when something fails. With --url only at the service there',
  subCommands: [RestoreDrillCommand, FaultsCommand],
})
export class DoctorCommand extends ServiceCommand {
  @Option({ flags: '--skip-health', description: 'do not ask the service how it is' })
  parseSkipHealth(): boolean {
    return true;
  }

  @Option({ flags: '--skip-operations', description: 'do not embed, write, find and delete' })
  parseSkipOperations(): boolean {
    return true;
  }

  @Option({ flags: '--verbose', description: 'also the details of what is well' })
  parseVerbose(): boolean {
    return true;
  }

  async run(_arguments: string[], options: DoctorOptions): Promise<void> {
    const findings: Finding[] = [];
    const say = (more: readonly Finding[]): void => {
      findings.push(...more);
      // One by one: some looks take seconds.
      if (options.json !== true) for (const finding of more) console.log(findingText(finding, options.verbose === true));
    };
    const url = options.url ?? (await this.lookAtMachine(say));
    if (url !== null) await this.lookAtService({ ...options, url }, say);
    const isWell = findings.every(({ state }) => state !== 'fail');
    this.show(options, { ok: isWell, findings }, () => `\n${summaryOf(findings)}`);
    if (!isWell) this.fail();
  }

  /** @returns the address of the service that runs here; `null` = none does */
  private async lookAtMachine(say: (findings: readonly Finding[]) => void): Promise<string | null> {
    const { finding, config } = checkConfig();
    say([checkNode(), finding]);
    if (config === null) return null;
    const { dataDir } = config.data;
    const url = found(() => findRunningService(dataDir));
    const { checkDatabase, checkIndex, checkModel } = await import('./check-stores.js');
    say([checkDataDir(config.data), await checkPort(config.server, url !== null)]);
    say(
      await checkDatabase(
        config,
        found(() => findRunningDatabase(dataDir)),
      ),
    );
    say([await checkIndex(config.vectorStore, config.sync.writeTimeoutMs)]);
    say([await checkModel(config.embedding)]);
    if (url === null) say([warn('service', `none runs with ${dataDir}`, 'Start one with npm start; its log says ready when it is.')]);
    return url;
  }

  private async lookAtService(options: DoctorOptions, say: (findings: readonly Finding[]) => void): Promise<void> {
    const client = this.clientOf(options);
    if (options.skipHealth !== true) say(await checkHealth(client));
    if (options.skipOperations !== true) say(await checkOperations(client));
  }
}

function found(find: () => string): string | null {
  try {
    return find();
  } catch (error) {
    if (error instanceof ServiceError) return null;
    throw error;
  }
}
