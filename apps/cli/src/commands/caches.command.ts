import { renderTable } from '#kernel';
import { Command, CommandRunner, SubCommand } from 'nest-commander';
import { ServiceCommand, type ServiceOptions } from '../service/service-command.js';
import { UsageError } from '../service/usage-error.js';

interface Counts {
  readonly hits: number;
  readonly joined: number;
  readonly misses: number;
  readonly entries: number;
}

interface Caches {
  readonly query_vectors: readonly (Counts & { readonly model: string })[];
  readonly answers: Counts & { readonly bytes: number };
  readonly keys: { readonly entries: number };
}

/** Names for people, and what the service calls them; undefined = all of them. */
const NAMES: ReadonlyMap<string, string | undefined> = new Map([
  ['query-vectors', 'query_vectors'],
  ['answers', 'answers'],
  ['keys', 'keys'],
  ['all', undefined],
]);

@SubCommand({ name: 'stats', description: 'What the process that answers remembers, and how often that helped' })
export class CachesStatsCommand extends ServiceCommand {
  async run(_arguments: string[], options: ServiceOptions): Promise<void> {
    const caches = await this.clientOf(options).read<Caches>('caches');
    this.show(options, caches, () => cachesTable(caches));
  }
}

@SubCommand({
  name: 'clear',
  arguments: '<name>',
  description: `Forget what the process that answers remembers: ${[...NAMES.keys()].join(', ')}. Nothing is lost; the next requests are slower`,
})
export class CachesClearCommand extends ServiceCommand {
  async run([name]: string[], options: ServiceOptions): Promise<void> {
    if (!NAMES.has(name!)) throw new UsageError(`There is no cache ${name}; there are ${[...NAMES.keys()].join(', ')}.`);
    const caches = await this.clientOf(options).act<Caches>('caches/clear', { cache: NAMES.get(name!) });
    this.show(options, caches, () => cachesTable(caches));
  }
}

@Command({
  name: 'caches',
  description: 'What a process of the service remembers',
  subCommands: [CachesStatsCommand, CachesClearCommand],
})
export class CachesCommand extends CommandRunner {
  async run(): Promise<void> {
    this.command.help({ error: true });
  }
}

function cachesTable({ query_vectors, answers, keys }: Caches): string {
  const counts = ({ entries, hits, joined, misses }: Counts): number[] => [entries, hits, joined, misses];
  return renderTable(
    ['cache', 'of', 'entries', 'hits', 'joined', 'misses'],
    [
      ...query_vectors.map((cache) => ['query-vectors', cache.model, ...counts(cache)]),
      ['answers', '-', ...counts(answers)],
      ['keys', '-', keys.entries, '-', '-', '-'],
    ],
  );
}
