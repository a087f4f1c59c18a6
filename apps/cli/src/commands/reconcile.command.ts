import { Command, Option } from 'nest-commander';
import { ServiceCommand, wholeNumber, type ServiceOptions } from '../service/service-command.js';
import { certificateText, differencesOf, type CertificateReply } from './certificate-text.js';

interface ReconcileOptions extends ServiceOptions {
  readonly source?: string;
  readonly generation?: number;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly budgetMs?: number;
  readonly after?: string;
  readonly wait?: boolean;
}

/** After these the index agrees with the rows, or will as soon as the relay is through. */
const GOOD_DECISIONS: ReadonlySet<string> = new Set(['clean', 'repaired']);

@Command({
  name: 'reconcile',
  description: 'Compare rows and index, and repair what differs; exit code 1 when something is left different',
})
export class ReconcileCommand extends ServiceCommand {
  @Option({ flags: '--source <name>', description: 'the serving generation of this source; default: projects' })
  parseSource(text: string): string {
    return text;
  }

  @Option({ flags: '--generation <id>', description: 'this generation' })
  parseGeneration(text: string): number {
    return wholeNumber('--generation', text);
  }

  @Option({ flags: '--dry-run', description: 'only report what differs' })
  parseDryRun(): boolean {
    return true;
  }

  @Option({ flags: '--force', description: 'also delete many points at once, or all: when you know that this is right' })
  parseForce(): boolean {
    return true;
  }

  @Option({ flags: '--budget-ms <ms>', description: 'stop after so many milliseconds' })
  parseBudgetMs(text: string): number {
    return wholeNumber('--budget-ms', text, 100);
  }

  @Option({ flags: '--after <id>', description: 'go on behind this id, where an incomplete run has ended' })
  parseAfter(text: string): string {
    return text;
  }

  @Option({ flags: '--wait', description: 'wait for the certificate and print it' })
  parseWait(): boolean {
    return true;
  }

  async run(_arguments: string[], options: ReconcileOptions): Promise<void> {
    const client = this.clientOf(options);
    const { source, generation, dryRun, force, budgetMs, after } = options;
    const body = { source, generation, dry_run: dryRun, force, budget_ms: budgetMs, after };
    const started = await client.act<{ id: string; generation: number; source: string }>('reconcile', body);
    if (options.wait !== true) {
      this.show(options, started, () => `Begun. See how it goes with: kindred certificates show ${started.id}`);
      return;
    }
    const certificate = await this.follow(
      () => client.read<CertificateReply>(`certificates/${started.id}`),
      ({ decision }) => decision !== 'running',
      (progress) => `${progress.rows} rows and ${progress.points} points so far, ${differencesOf(progress)} differ`,
    );
    this.show(options, certificate, () => certificateText(certificate));
    if (!GOOD_DECISIONS.has(certificate.decision)) this.fail();
  }
}
