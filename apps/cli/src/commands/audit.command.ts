import { renderTable } from '#kernel';
import { Command, CommandRunner, Option, SubCommand } from 'nest-commander';
import { timeText } from '../output/words.js';
import { PageCommand, type PageOptions } from '../service/page-command.js';
import { ServiceCommand, type ServiceOptions } from '../service/service-command.js';
import { saveStream } from '../transfer/save-stream.js';

interface AuditEntry {
  readonly at: string;
  readonly key_id: string | null;
  readonly key_name: string | null;
  readonly channel: 'http' | 'cli';
  readonly action: string;
  readonly target: string | null;
  readonly address: string | null;
  readonly result: string;
  readonly code: string | null;
}

@SubCommand({ name: 'list', description: 'What operators did, newest first, and what became of it; --json shows what was asked for' })
export class AuditListCommand extends PageCommand {
  async run(_arguments: string[], options: PageOptions): Promise<void> {
    const { limit, cursor } = options;
    const page = await this.clientOf(options).read<{ items: AuditEntry[]; next_cursor: string | null }>('audit', { limit, cursor });
    this.show(options, page, () => this.paged(auditTable(page.items), page.next_cursor));
  }
}

@SubCommand({ name: 'export', description: 'All of it as NDJSON, newest first' })
export class AuditExportCommand extends ServiceCommand {
  @Option({ flags: '--out <file>', description: 'write to this file; default: standard output' })
  parseOut(text: string): string {
    return text;
  }

  async run(_arguments: string[], options: ServiceOptions & { readonly out?: string }): Promise<void> {
    await saveStream(await this.clientOf(options).download('/api/v1/admin/audit/export'), options.out);
  }
}

@Command({ name: 'audit', description: 'The record of what operators did', subCommands: [AuditListCommand, AuditExportCommand] })
export class AuditCommand extends CommandRunner {
  async run(): Promise<void> {
    this.command.help({ error: true });
  }
}

function auditTable(entries: readonly AuditEntry[]): string {
  if (entries.length === 0) return 'Nothing is recorded.';
  return renderTable(
    ['at', 'who', 'from', 'act', 'target', 'result'],
    entries.map((entry) => [
      timeText(entry.at),
      whoOf(entry),
      entry.address ?? '-',
      entry.action,
      entry.target ?? '-',
      entry.code === null ? entry.result : `${entry.result} (${entry.code})`,
    ]),
  );
}

function whoOf({ key_id, key_name, channel }: AuditEntry): string {
  if (key_id !== null) return `${key_name ?? 'a key'} (${key_id})`;
  return channel === 'cli' ? 'the command line' : 'no key';
}
