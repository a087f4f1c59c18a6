import { loadConfig } from '#config';
import { SystemIdGenerator } from '#kernel';
import { Command, Option } from 'nest-commander';
import { auditedDirectly } from '../audit/audited-directly.js';
import { readErasures } from './read-erasures.js';
import { bytesText, secondsText } from './size-text.js';
import { DirectCommand, type DirectOptions } from './direct-command.js';
import { kindredVersion } from '../program/kindred-version.js';
import { withKindredDatabase } from './kindred-database.js';

interface BackupOptions extends DirectOptions {
  readonly to: string;
}

@Command({
  name: 'backup',
  description: 'Write a backup of all rows, vectors included, into a new folder; the service may run meanwhile',
})
export class BackupCommand extends DirectCommand {
  @Option({
    flags: '--to <folder>',
    required: true,
    description: 'an empty folder, or one that is made; only its owner may read what is in it',
  })
  parseTo(text: string): string {
    return text;
  }

  async run(_arguments: string[], options: BackupOptions): Promise<void> {
    const startedMs = performance.now();
    const { manifest, folder } = await this.directly((show) => write(options.to, show));
    const elapsedMs = performance.now() - startedMs;
    const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
    const bytes = manifest.tables.reduce((sum, table) => sum + table.bytes, 0);
    const { id, created_at, tables, index } = manifest;
    const json = { id, folder, created_at, rows, bytes, tables: tables.length, index, elapsed_ms: Math.round(elapsedMs) };
    this.print(options, json, () =>
      [
        `Backup ${id} of ${created_at}: ${rows} rows of ${tables.length} tables, ${bytesText(bytes)}, in ${secondsText(elapsedMs)}.`,
        `${folder}`,
        'The index is not in it: a restore writes it again from the vectors, which are. Try it: kindred doctor restore-drill --from <folder>',
      ].join('\n'),
    );
  }
}

async function write(to: string, show: (text: string) => void) {
  const config = loadConfig();
  // Loaded when they are needed: the ORM takes longer to load than most commands to run.
  const [{ BackupWriter }, { CopyConnection }, { ErasureLog }] = await Promise.all([
    import('#backup'),
    import('#database'),
    import('#erasure'),
  ]);
  const log = new ErasureLog(config.erasure.logFile);
  return withKindredDatabase(config, (url) =>
    auditedDirectly(url, { action: 'backup', target: to, detail: null }, async () => {
      const connection = await CopyConnection.open(url, 'kindred-backup');
      try {
        const writer = new BackupWriter({
          connection,
          ids: new SystemIdGenerator(),
          kindredVersion: kindredVersion(),
          readErasureLog: () => readErasures(log),
          onProgress: ({ table, rows, tablesDone, tables }) => show(`${table}: ${rows} rows (table ${tablesDone + 1} of ${tables})`),
        });
        return await writer.write(to);
      } finally {
        await connection.close();
      }
    }),
  );
}
