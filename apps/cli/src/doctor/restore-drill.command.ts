import { loadConfig } from '#config';
import { renderTable } from '#kernel';
import { Option, SubCommand } from 'nest-commander';
import { DirectCommand, type DirectOptions } from '../backup/direct-command.js';
import { withKindredDatabase } from '../backup/kindred-database.js';
import { readErasures } from '../backup/read-erasures.js';
import { secondsText } from '../backup/size-text.js';

interface DrillOptions extends DirectOptions {
  readonly from: string;
}

@SubCommand({
  name: 'restore-drill',
  description:
    'Restore a backup into a database made for it on the same server, compare every row, bring it up to date, and drop it; exit code 1 when one differs',
})
export class RestoreDrillCommand extends DirectCommand {
  @Option({ flags: '--from <folder>', required: true, description: 'the folder of the backup' })
  parseFrom(text: string): string {
    return text;
  }

  async run(_arguments: string[], options: DrillOptions): Promise<void> {
    const report = await this.directly(async (show) => {
      const [{ restoreDrill }, { ErasureLog, reapplyErasures }] = await Promise.all([import('#backup'), import('#erasure')]);
      const config = loadConfig();
      const outside = await readErasures(new ErasureLog(config.erasure.logFile));
      return withKindredDatabase(config, (url) =>
        restoreDrill(url, options.from, {
          reapplyErasures: (session, logged) => reapplyErasures(session, [...logged, ...outside]),
          onStep: show,
        }),
      );
    });
    const { manifest, database, tables, skipped, rows, migrations, erasedAgain, verifyMs, restoreMs, compareMs, finishMs, isPassed } =
      report;
    const json = {
      backup: manifest.id,
      created_at: manifest.created_at,
      database,
      is_passed: isPassed,
      rows,
      verify_ms: Math.round(verifyMs),
      restore_ms: Math.round(restoreMs),
      compare_ms: Math.round(compareMs),
      finish_ms: Math.round(finishMs),
      migrations,
      erased_again: erasedAgain,
      skipped_tables: skipped,
      tables: tables.map(({ table, rowsInBackup, rowsRestored, isEqual }) => ({
        table,
        rows_in_backup: rowsInBackup,
        rows_restored: rowsRestored,
        is_equal: isEqual,
      })),
    };
    this.print(options, json, () =>
      [
        renderTable(
          ['table', 'in the backup', 'restored', 'count and checksum'],
          tables.map(({ table, rowsInBackup, rowsRestored, isEqual }) => [
            table,
            rowsInBackup,
            rowsRestored,
            isEqual ? 'equal' : 'DIFFERENT',
          ]),
        ),
        `Backup ${manifest.id} of ${manifest.created_at}: files checked in ${secondsText(verifyMs)}, restored in ${secondsText(restoreMs)}, compared in ${secondsText(compareMs)}, brought up to date in ${secondsText(finishMs)}.`,
        `${migrations.length} migrations are newer than it and ran on its rows; ${erasedAgain} rows were erased again.`,
        ...(skipped.length === 0 ? [] : [`Not restored, because they are no tables of Kindred: ${skipped.join(', ')}`]),
        isPassed
          ? `Passed: ${rows} rows of ${tables.length} tables are what the backup says. The database ${database} is dropped again; yours was not touched.`
          : `FAILED: this backup does not give back what it was made of. The database ${database} is dropped again; yours was not touched.`,
      ].join('\n'),
    );
    if (!isPassed) process.exitCode = 1;
  }
}
