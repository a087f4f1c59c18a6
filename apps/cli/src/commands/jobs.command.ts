import { renderTable } from '#kernel';
import { Command, CommandRunner, Option, SubCommand } from 'nest-commander';
import { durationText, timeText } from '../output/words.js';
import { PageCommand, type PageOptions } from '../service/page-command.js';
import { ServiceCommand, wholeNumber, type ServiceOptions } from '../service/service-command.js';
import { comeBackText, problemText, type ImportJobReply, type ImportProblem } from '../transfer/import-text.js';

interface Job extends ImportJobReply {
  readonly kind: string;
  readonly file_name: string | null;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
}

const PROBLEMS_DEFAULT = 20;
/** As many as the service stores. */
const PROBLEMS_MAXIMUM = 1_000;

@SubCommand({ name: 'list', description: 'Imports of the last month, newest first' })
export class JobsListCommand extends PageCommand {
  async run(_arguments: string[], options: PageOptions): Promise<void> {
    const { limit, cursor } = options;
    const client = this.clientOf(options);
    const page = await client.get<{ items: Job[]; next_cursor: string | null }>('/api/v1/jobs', { limit, cursor });
    this.show(options, page, () => this.paged(jobTable(page.items), page.next_cursor));
  }
}

@SubCommand({ name: 'show', arguments: '<id>', description: 'How far an import is, and what it refused' })
export class JobsShowCommand extends ServiceCommand {
  @Option({ flags: '--problems <number>', description: `print at most so many refused lines (${PROBLEMS_DEFAULT})` })
  parseProblems(text: string): number {
    return wholeNumber('--problems', text, 0);
  }

  async run([id]: string[], options: ServiceOptions & { readonly problems?: number }): Promise<void> {
    const client = this.clientOf(options);
    const job = await client.job<Job>(encodeURIComponent(id!));
    const most = Math.min(options.problems ?? PROBLEMS_DEFAULT, PROBLEMS_MAXIMUM);
    const isPlain = options.json !== true && most > 0 && job.problems.found > 0;
    const problems = isPlain ? (await client.jobProblems<{ items: ImportProblem[] }>(job.id, most)).items : [];
    this.show(options, job, () => jobText(job, problems));
  }
}

@SubCommand({ name: 'cancel', arguments: '<id>', description: 'End an import; what it has written stays' })
export class JobsCancelCommand extends ServiceCommand {
  async run([id]: string[], options: ServiceOptions): Promise<void> {
    const job = await this.clientOf(options).call<Job>('POST', `/api/v1/jobs/${encodeURIComponent(id!)}/cancel`);
    this.show(options, job, () => jobText(job, []));
  }
}

@Command({
  name: 'jobs',
  description: 'Imports, as the service works on them',
  subCommands: [JobsListCommand, JobsShowCommand, JobsCancelCommand],
})
export class JobsCommand extends CommandRunner {
  async run(): Promise<void> {
    this.command.help({ error: true });
  }
}

function jobTable(jobs: readonly Job[]): string {
  if (jobs.length === 0) return 'There are no jobs.';
  return renderTable(
    ['id', 'kind', 'state', 'rows', 'rejected', 'created', 'finished', 'file'],
    jobs.map((job) => [
      job.id,
      job.kind,
      job.state,
      job.progress.lines,
      job.progress.rejected,
      timeText(job.created_at),
      timeText(job.finished_at),
      job.file_name ?? '-',
    ]),
  );
}

function jobText(job: Job, problems: readonly ImportProblem[]): string {
  const { lines, inserted, updated, unchanged, rejected, eta_seconds } = job.progress;
  const file = job.file_name ?? 'line';
  const unseen = job.problems.found - problems.length;
  return [
    `Import ${job.id} of ${job.kind}: ${job.state}${job.error === null ? '' : `: ${job.error.detail} (${job.error.code})`}`,
    `file: ${job.file_name ?? '-'}${job.dry_run ? ' (a dry run: nothing is written)' : ''}`,
    `created: ${timeText(job.created_at)}, begun: ${timeText(job.started_at)}, finished: ${timeText(job.finished_at)}`,
    `rows: ${lines}; ${inserted} new, ${updated} changed, ${unchanged} unchanged, ${rejected} rejected`,
    ...(eta_seconds === null ? [] : [`left: ${durationText(eta_seconds)}`]),
    ...(job.notice === null ? [] : [`notice: ${job.notice}`]),
    ...(job.index_pending === null || job.index_pending === 0 ? [] : [`not searchable yet: ${job.index_pending}`]),
    ...(job.state === 'failed' ? [`Let it go on with: ${comeBackText(job.id)}`] : []),
    ...problems.map((problem) => problemText(file, problem)),
    ...(unseen > 0 && problems.length > 0 ? [`… and ${unseen} more`] : []),
  ].join('\n');
}
