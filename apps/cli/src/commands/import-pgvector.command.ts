import { loadConfig } from '#config';
import type { PgvectorImportReport } from '../import/pgvector-import-text.js';
import { DomainError } from '#kernel';
import { CommandRunner, Option, SubCommand } from 'nest-commander';
import { auditedDirectly, type DirectAct } from '../audit/audited-directly.js';
import { ProgressLine } from '../output/progress-line.js';
import { wholeNumber } from '../service/service-command.js';
import { ServiceError } from '../service/service-error.js';
import { findRunningDatabase } from '../service/service-url.js';
import { UsageError } from '../service/usage-error.js';

interface ImportPgvectorOptions {
  readonly from: string;
  readonly table: string;
  readonly map: string;
  readonly collection: string;
  readonly model?: string;
  readonly dimensions?: number;
  readonly dryRun?: boolean;
  readonly resume?: boolean;
  readonly sample?: number;
  readonly seed?: string;
  readonly batchSize?: number;
  readonly json?: boolean;
}

const SAMPLE_DEFAULT = 20;
const SAMPLE_MAXIMUM = 1_000;
const BATCH_DEFAULT = 200;
const BATCH_MAXIMUM = 5_000;

@SubCommand({
  name: 'pgvector',
  description: 'Copy a pgvector table of another database into documents; that database is only read',
})
export class ImportPgvectorCommand extends CommandRunner {
  @Option({ flags: '--from <url>', required: true, description: 'the other database; its password may be in ~/.pgpass instead' })
  parseFrom(text: string): string {
    const url = URL.canParse(text) ? new URL(text) : null;
    // The value may hold a password.
    if (url === null || !['postgres:', 'postgresql:'].includes(url.protocol))
      throw new UsageError('--from must be like postgres://user@host/database');
    return text;
  }

  @Option({ flags: '--table <name>', required: true, description: 'table or schema.table' })
  parseTable(text: string): string {
    return text;
  }

  @Option({
    flags: '--map <field=column,…>',
    required: true,
    description: 'content and external_id, and if there are title, kind, collection, metadata, source_uri, language, vector',
  })
  parseMap(text: string): string {
    return text;
  }

  @Option({ flags: '--collection <name>', required: true, description: 'where the documents go; made if it is not there' })
  parseCollection(text: string): string {
    return text;
  }

  @Option({ flags: '--model <name>', description: 'the model that made the vectors: they are kept for the indexes that have it' })
  parseModel(text: string): string {
    return text;
  }

  @Option({ flags: '--dimensions <number>', description: 'of these vectors' })
  parseDimensions(text: string): number {
    return wholeNumber('--dimensions', text);
  }

  @Option({ flags: '--dry-run', description: 'read and check everything, and write nothing' })
  parseDryRun(): boolean {
    return true;
  }

  @Option({ flags: '--resume', description: 'go on behind the last row of the run before' })
  parseResume(): boolean {
    return true;
  }

  @Option({ flags: '--sample <rows>', description: `vectors that are compared at the end; default ${SAMPLE_DEFAULT}` })
  parseSample(text: string): number {
    return atMost('--sample', wholeNumber('--sample', text), SAMPLE_MAXIMUM);
  }

  @Option({ flags: '--seed <text>', description: 'draws the same sample again' })
  parseSeed(text: string): string {
    return text;
  }

  @Option({ flags: '--batch-size <rows>', description: `rows of one transaction; default ${BATCH_DEFAULT}` })
  parseBatchSize(text: string): number {
    return atMost('--batch-size', wholeNumber('--batch-size', text), BATCH_MAXIMUM);
  }

  @Option({ flags: '--json', description: 'print the summary as JSON' })
  parseJson(): boolean {
    return true;
  }

  async run(_arguments: string[], options: ImportPgvectorOptions): Promise<void> {
    const stop = new AbortController();
    const onSignal = (): void => stop.abort();
    process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
    try {
      const report = await importTable(options, stop.signal);
      const { reportJson, reportText } = await import('../import/pgvector-import-text.js');
      console.log(options.json === true ? JSON.stringify(reportJson(report), null, 2) : reportText(report));
      const { result, verification } = report;
      if (result.refused > 0 || result.isInterrupted || verification?.is_passed === false) process.exitCode = 1;
    } finally {
      process.removeListener('SIGINT', onSignal).removeListener('SIGTERM', onSignal);
    }
  }
}

async function importTable(options: ImportPgvectorOptions, signal: AbortSignal): Promise<PgvectorImportReport> {
  const { model, dimensions } = options;
  if ((model === undefined) !== (dimensions === undefined))
    throw new UsageError('--model and --dimensions are given together, or not at all');
  // Loaded when they are needed: the ORM takes longer to load than most commands to run.
  const [{ parseColumnMapping, PgvectorImportError }, { PgvectorImportSession }, { progressText }] = await Promise.all([
    import('#ingestion'),
    import('../import/pgvector-import-session.js'),
    import('../import/pgvector-import-text.js'),
  ]);
  const config = loadConfig();
  const isDryRun = options.dryRun === true;
  const line = new ProgressLine(process.stderr);
  try {
    const mapping = usageOf(() => parseColumnMapping(options.map), PgvectorImportError);
    const declared = model === undefined || dimensions === undefined ? null : { model, dimensions };
    if (declared !== null && mapping.vector === undefined)
      throw new UsageError('--model keeps vectors: --map must name the column, vector=…');
    const source = { from: options.from, table: options.table, mapping, collection: options.collection, model: declared };
    const databaseUrl = config.database.url ?? findRunningDatabase(config.data.dataDir);
    return await PgvectorImportSession.use(config, databaseUrl, source, async (session) => {
      const startedMs = performance.now();
      const generations = await session.generations();
      const work = () =>
        session.import(generations, {
          isDryRun,
          isResumed: options.resume === true,
          batchSize: options.batchSize ?? BATCH_DEFAULT,
          signal,
          onProgress: (...progress) => line.show(progressText(...progress)),
          onRefused: ({ id, reason }) => {
            line.end();
            process.stderr.write(`refused ${id}: ${reason}\n`);
          },
        });
      const result = isDryRun ? await work() : await auditedDirectly(databaseUrl, actOf(options), work);
      const elapsedMs = performance.now() - startedMs;
      line.end();
      const verification =
        isDryRun || result.isInterrupted
          ? null
          : await session.verify(generations[0] ?? null, {
              sampleSize: options.sample ?? SAMPLE_DEFAULT,
              seed: options.seed ?? String(Date.now()),
              refused: result.refusedInAll,
            });
      return { isDryRun, keepsVectors: generations.length > 0, result, elapsedMs, verification };
    });
  } catch (error) {
    if (error instanceof PgvectorImportError || error instanceof DomainError) throw new ServiceError(`${error.message}${hintOf(error)}`);
    throw error;
  } finally {
    line.end();
  }
}

/** User and password of the source stay out. */
function actOf({ from, table, map, collection, model, dimensions, resume }: ImportPgvectorOptions): DirectAct {
  const { host, pathname } = new URL(from);
  const detail = { from: `${host}${pathname}`, table, map, model, dimensions, resume: resume === true };
  return { action: 'import pgvector', target: collection, detail };
}

function hintOf(error: Error): string {
  if (!(error instanceof DomainError)) return '';
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `${cause} [${error.code}]`;
}

/** What is wrong with the command line itself. */
function usageOf<T>(parse: () => T, kind: abstract new (...parameters: never[]) => Error): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof kind) throw new UsageError(error.message);
    throw error;
  }
}

function atMost(name: string, value: number, maximum: number): number {
  if (value > maximum) throw new UsageError(`${name} must be at most ${maximum}`);
  return value;
}
