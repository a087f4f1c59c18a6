import type { KeptRows } from '#backup';
import { loadConfig, type KindredConfig } from '#config';
import { SystemIdGenerator } from '#kernel';
import { Command, Option } from 'nest-commander';
import { certificateText, type CertificateReply } from '../commands/certificate-text.js';
import { DirectCommand, type DirectOptions } from './direct-command.js';
import { withExclusiveDatabase } from './kindred-database.js';
import { readErasures } from './read-erasures.js';
import { secondsText } from './size-text.js';
import type { ProofOutcome } from './prove-restored-index.js';

interface RestoreOptions extends DirectOptions {
  readonly from: string;
  readonly force?: boolean;
  readonly prove?: boolean;
}

/** After these the index agrees with the rows. */
const GOOD_DECISIONS: ReadonlySet<string> = new Set(['clean', 'repaired']);

@Command({
  name: 'restore',
  description: 'Put the database back to a backup, write the index again and print its certificates; no service may run',
})
export class RestoreCommand extends DirectCommand {
  @Option({ flags: '--from <folder>', required: true, description: 'the folder of the backup' })
  parseFrom(text: string): string {
    return text;
  }

  @Option({ flags: '--force', description: 'replace what the database holds' })
  parseForce(): boolean {
    return true;
  }

  @Option({ flags: '--no-prove', description: 'leave the index to the next start of the service' })
  parseProve(): boolean {
    return false;
  }

  async run(_arguments: string[], options: RestoreOptions): Promise<void> {
    const startedMs = performance.now();
    const config = loadConfig();
    const restored = await this.directly((show) => withExclusiveDatabase(config, (url) => restore(config, url, options, show)));
    const restoredMs = performance.now() - startedMs;
    const { manifest, rows, skipped, erasedAgain, generations, erasureLog, keysGood, keysWithdrawn, knewKeys } = restored;
    const proof = options.prove === false ? null : await this.directly((show) => prove(config, show));
    const json = {
      backup: manifest.id,
      created_at: manifest.created_at,
      rows,
      skipped_tables: skipped,
      erased_again: erasedAgain,
      erasure_log: erasureLog,
      generations,
      keys: { good: keysGood, withdrawn_again: keysWithdrawn, database_knew_keys: knewKeys },
      restore_ms: Math.round(restoredMs),
      certificates: proof?.certificates ?? [],
      proof: proof?.problem ?? (proof === null ? 'left to the service' : 'proven'),
    };
    this.print(options, json, () =>
      [
        `Restored ${rows} rows of backup ${manifest.id}, made ${manifest.created_at}, in ${secondsText(restoredMs)}; every table has the rows that the manifest says.`,
        ...(skipped.length === 0 ? [] : [`Not restored, because they are no tables of Kindred: ${skipped.join(', ')}`]),
        keysText(restored),
        `Erasure log: ${erasureLog.path}, ${erasureLog.lines} lines.`,
        ...(erasedAgain === 0 ? [] : [`Erased again, because they had been erased after the backup: ${erasedAgain} rows`]),
        ...(proof?.certificates ?? []).map((certificate) => certificateText(certificate)),
        proof?.problem ??
          (proof === null ? 'The next start of the service compares the index with it, and writes it again.' : 'Start the service.'),
      ].join('\n'),
    );
    if (proof !== null && (proof.problem !== null || proof.certificates.some(isBad))) process.exitCode = 1;
  }
}

const isBad = ({ decision }: CertificateReply): boolean => !GOOD_DECISIONS.has(decision);

function keysText({ keysGood, keysWithdrawn, knewKeys }: KeptRows): string {
  if (knewKeys) return `API keys: ${keysGood} are good; ${keysWithdrawn} were withdrawn after the backup, and stay so.`;
  if (keysGood === 0) return 'API keys: none is good.';
  return `API keys: ${keysGood} of the backup are good now, those that were revoked after it as well: nothing here knew of that. See kindred keys list. They need the API_KEY_PEPPER that they were made with, or the file api-key-pepper of that DATA_DIR, which is in no backup.`;
}

async function restore(config: KindredConfig, url: string, { from, force }: RestoreOptions, show: (text: string) => void) {
  const [{ BackupRestorer }, { CopyConnection }, { ErasureLog, reapplyErasures }, { cliActor, recordDone }] = await Promise.all([
    import('#backup'),
    import('#database'),
    import('#erasure'),
    import('#security'),
  ]);
  const outside = await readErasures(new ErasureLog(config.erasure.logFile), { mustBeThere: true });
  const connection = await CopyConnection.open(url, 'kindred-restore');
  try {
    const restorer = new BackupRestorer({
      connection,
      reapplyErasures: (session, logged) => reapplyErasures(session, [...logged, ...outside]),
      record: (session, { id, created_at: madeAt }) =>
        recordDone(session, new SystemIdGenerator().uuid(), {
          ...cliActor(),
          action: 'restore',
          target: from,
          detail: { backup: id, made_at: madeAt, forced: force === true },
        }),
      onProgress: (progress) =>
        show(
          'verifying' in progress
            ? `Checking ${progress.verifying}`
            : `${progress.table}: ${progress.rows} rows (table ${progress.tablesDone + 1} of ${progress.tables})`,
        ),
    });
    const restored = await restorer.restore(from, { isForced: force === true });
    return { ...restored, erasureLog: { path: config.erasure.logFile, lines: outside.length } };
  } finally {
    await connection.close();
  }
}

async function prove(config: KindredConfig, show: (text: string) => void): Promise<ProofOutcome> {
  const { DataDirLock } = await import('#config');
  const lock = await DataDirLock.acquire(config.data.dataDir);
  try {
    return await (await import('./prove-restored-index.js')).proveRestoredIndex(config, show);
  } finally {
    await lock.release();
  }
}
