import { renderTable } from '#kernel';
import { Command, CommandRunner, Option, SubCommand } from 'nest-commander';
import { timeText } from '../output/words.js';
import { ServiceCommand, wholeNumber, type ServiceOptions } from '../service/service-command.js';

/** Characters of a result in a table; --json has it whole. */
const RESULT_SHOWN = 100;

interface Run {
  readonly due_at: string;
  readonly started_at: string;
  readonly finished_at: string | null;
  readonly outcome: string;
  readonly holder: string;
  readonly result: unknown;
}

interface Schedule {
  readonly name: string;
  readonly expression: string | null;
  readonly next_due_at: string | null;
  readonly last_run: Run | null;
  readonly last_result: Run | null;
}

@SubCommand({ name: 'list', description: 'When each is due next, and how its last run went' })
export class SchedulesListCommand extends ServiceCommand {
  async run(_arguments: string[], options: ServiceOptions): Promise<void> {
    const list = await this.clientOf(options).read<{ items: Schedule[] }>('schedules');
    this.show(options, list, () =>
      renderTable(
        ['schedule', 'expression (UTC)', 'next due', 'last run', 'outcome', 'last error'],
        list.items.map(({ name, expression, next_due_at, last_run, last_result }) => [
          name,
          expression ?? 'off',
          timeText(next_due_at),
          timeText(last_run?.due_at ?? null),
          last_run?.outcome ?? '-',
          errorOf(last_result).slice(0, 80),
        ]),
      ),
    );
  }
}

@SubCommand({ name: 'show', arguments: '<name>', description: 'The last runs of a schedule, newest first, with what they found' })
export class SchedulesShowCommand extends ServiceCommand {
  @Option({ flags: '--limit <number>', description: 'at most so many' })
  parseLimit(text: string): number {
    return wholeNumber('--limit', text);
  }

  async run([name]: string[], options: ServiceOptions & { readonly limit?: number }): Promise<void> {
    const path = `schedules/${encodeURIComponent(name!)}`;
    const runs = await this.clientOf(options).read<{ items: Run[] }>(path, { limit: options.limit });
    this.show(options, runs, () => runTable(runs.items));
  }
}

@SubCommand({ name: 'run', arguments: '<name>', description: 'Run a schedule now, in the service' })
export class SchedulesRunCommand extends ServiceCommand {
  @Option({ flags: '--wait', description: 'wait until it is done, and print what it found; exit code 1 when it failed' })
  parseWait(): boolean {
    return true;
  }

  async run([name]: string[], options: ServiceOptions & { readonly wait?: boolean }): Promise<void> {
    const client = this.clientOf(options);
    const path = `schedules/${encodeURIComponent(name!)}`;
    const started = await client.act<{ due_at: string }>(`${path}/run`);
    if (options.wait !== true) {
      this.show(options, started, () => `Begun. See how it went with: kindred schedules list`);
      return;
    }
    const run = await this.follow(
      async () => (await client.read<{ items: Run[] }>(path)).items.find(({ due_at }) => due_at === started.due_at),
      (one) => one !== undefined && one.outcome !== 'running',
      (one) => `Running on ${one?.holder ?? 'the service'}`,
    );
    this.show(
      options,
      run,
      () => `${name}: ${run!.outcome}\n${runTable([run!])}\nAll that it found: kindred schedules show ${name} --json`,
    );
    if (run!.outcome !== 'done') this.fail();
  }
}

@Command({
  name: 'schedules',
  description: 'Recurring work of the engine',
  subCommands: [SchedulesListCommand, SchedulesShowCommand, SchedulesRunCommand],
})
export class SchedulesCommand extends CommandRunner {
  async run(): Promise<void> {
    this.command.help({ error: true });
  }
}

function errorOf(run: Run | null): string {
  const { result } = run ?? {};
  return typeof result === 'object' && result !== null && 'error' in result ? String(result.error) : '';
}

function runTable(runs: readonly Run[]): string {
  if (runs.length === 0) return 'It has not run in the last seven days.';
  return renderTable(
    ['due', 'begun', 'finished', 'outcome', 'on', 'result'],
    runs.map(({ due_at, started_at, finished_at, outcome, holder, result }) => [
      timeText(due_at),
      timeText(started_at),
      timeText(finished_at),
      outcome,
      holder,
      JSON.stringify(result ?? null).slice(0, RESULT_SHOWN),
    ]),
  );
}
