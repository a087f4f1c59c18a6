import { describeConfig, type ConfigEntry } from '#config';
import { renderTable } from '#kernel';
import { Command, CommandRunner, Option } from 'nest-commander';

interface ConfigOptions {
  readonly json?: boolean;
  readonly changed?: boolean;
}

@Command({
  name: 'config',
  description:
    'Print the configuration as it takes effect here, and where each value comes from; secrets are masked. Exit code 1 when something is wrong',
})
export class ConfigCommand extends CommandRunner {
  @Option({ flags: '--changed', description: 'only what is no default' })
  parseChanged(): boolean {
    return true;
  }

  @Option({ flags: '--json', description: 'print JSON' })
  parseJson(): boolean {
    return true;
  }

  async run(_arguments: string[], { json, changed }: ConfigOptions): Promise<void> {
    const { entries: all, problems } = describeConfig();
    const entries = changed === true ? all.filter(({ origin }) => origin !== 'default') : all;
    if (json === true) console.log(JSON.stringify({ variables: entries, problems }, null, 2));
    else console.log(tableOf(entries));
    if (problems.length === 0) return;
    if (json !== true) for (const { variable, rule } of problems) process.stderr.write(`${variable} ${rule}\n`);
    process.exitCode = 1;
  }
}

function tableOf(entries: readonly ConfigEntry[]): string {
  if (entries.length === 0) return 'Everything has its default.';
  return renderTable(
    ['variable', 'value', 'from'],
    entries.map(({ variable, value, origin }) => [variable, String(value ?? '-'), origin]),
  );
}
