import { loadConfig } from '#config';
import { CommandRunner, Option } from 'nest-commander';
import { ProgressLine } from '../output/progress-line.js';
import { apiKeyOf, parseApiKey } from './api-key.js';
import { follow, PATIENCE_MS } from './follow.js';
import { KindredClient } from './kindred-client.js';
import { assertKeyIsSafe } from './plaintext-key.js';
import { findRunningService, parseServiceUrl } from './service-url.js';
import { UsageError } from './usage-error.js';

export interface ServiceOptions {
  readonly url?: string;
  readonly key?: string;
  readonly insecure?: boolean;
  readonly json?: boolean;
}

/** A command that talks to the running service: finds it, and prints what it says as a table, or as the raw JSON with `--json`. */
export abstract class ServiceCommand extends CommandRunner {
  @Option({ flags: '--url <url>', description: 'the service; default: the one that runs with DATA_DIR (run.json)' })
  parseUrl(text: string): string {
    return parseServiceUrl(text);
  }

  @Option({
    flags: '--key <key>',
    description: 'API key; better in KINDRED_API_KEY or KINDRED_API_KEY_FILE, where neither history nor process list shows it',
  })
  parseKey(text: string): string {
    return parseApiKey(text);
  }

  @Option({ flags: '--insecure', description: 'send the key over plain http to another machine, too, where others may read it on its way' })
  parseInsecure(): boolean {
    return true;
  }

  @Option({ flags: '--json', description: 'print the raw JSON, also of a failure (on standard error)' })
  parseJson(): boolean {
    return true;
  }

  protected clientOf(options: ServiceOptions): KindredClient {
    return this.clientAt(options.url ?? findRunningService(loadConfig().data.dataDir), options);
  }

  /** @throws UsageError when the key would be readable on its way to `url` */
  protected clientAt(url: string, { key, insecure }: ServiceOptions): KindredClient {
    const apiKey = apiKeyOf(key);
    if (apiKey !== null && insecure !== true) assertKeyIsSafe(url);
    return new KindredClient(url, apiKey);
  }

  protected show(options: ServiceOptions, reply: unknown, text: () => string): void {
    console.log(options.json === true ? JSON.stringify(reply, null, 2) : text());
  }

  /** Asks again and again until `isOver`, and shows where things stand meanwhile. A service that is away for a moment is waited for. @throws ServiceError */
  protected async follow<Reply>(
    look: () => Promise<Reply>,
    isOver: (reply: Reply) => boolean,
    describe: (reply: Reply) => string,
  ): Promise<Reply> {
    const line = new ProgressLine(process.stderr);
    try {
      return await follow({
        look,
        isOver,
        show: (reply) => line.show(describe(reply)),
        showAway: () => line.show(`The service does not answer; it is asked again for ${PATIENCE_MS / 1_000} s`),
      });
    } finally {
      line.end();
    }
  }

  /** Does something once, and again while the service is away or busy. Only for what may be done twice. @throws ServiceError */
  protected persist<Reply>(act: () => Promise<Reply>): Promise<Reply> {
    return this.follow(
      act,
      () => true,
      () => '',
    );
  }

  /** What was asked for was refused or has failed, and has been said: exit code 1. */
  protected fail(): void {
    process.exitCode = 1;
  }
}

/** A whole number of an option or argument. @throws UsageError */
export function wholeNumber(name: string, text: string | undefined, minimum = 1): number {
  if (text === undefined || !/^\d{1,9}$/.test(text) || Number(text) < minimum) {
    throw new UsageError(`${name} must be a whole number of at least ${minimum}, not ${text}`);
  }
  return Number(text);
}
