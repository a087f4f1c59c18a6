import { Command, Option } from 'nest-commander';
import { constants, openAsBlob } from 'node:fs';
import { access } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { ProgressLine } from '../output/progress-line.js';
import { ServiceError } from '../service/service-error.js';
import { ImportPgvectorCommand } from '../commands/import-pgvector.command.js';
import type { KindredClient } from '../service/kindred-client.js';
import { ServiceCommand, wholeNumber, type ServiceOptions } from '../service/service-command.js';
import { UsageError } from '../service/usage-error.js';
import { fileTypeOf, FORMATS, type FileFormat } from './file-type.js';
import { parseKind, TRANSFER_KINDS, type TransferKind } from './transfer-kind.js';
import {
  comeBackText,
  problemText,
  progressText,
  summaryText,
  uploadText,
  workedMs,
  type ImportJobReply,
  type ImportProblem,
} from './import-text.js';

interface ImportOptions extends ServiceOptions {
  readonly kind?: TransferKind;
  readonly collection?: string;
  readonly format?: FileFormat;
  readonly delimiter?: string;
  readonly dryRun?: boolean;
  readonly resume?: string;
  readonly problems?: number;
}

const PROBLEMS_SHOWN = 20;
/** As many as the service stores. */
const PROBLEMS_MAXIMUM = 1_000;
const OVER: ReadonlySet<string> = new Set(['done', 'failed', 'cancelled']);

@Command({
  name: 'import',
  arguments: '[file]',
  subCommands: [ImportPgvectorCommand],
  description:
    'Import a file of rows (- = standard input), and follow it to its end; exit code 1 when a row was rejected, or the import has failed',
})
export class ImportCommand extends ServiceCommand {
  @Option({
    flags: '--kind <kind>',
    description: `${TRANSFER_KINDS.join(' or ')}; default: documents with --collection and for text files, else projects`,
  })
  parseKind(text: string): TransferKind {
    return parseKind(text);
  }

  @Option({ flags: '--collection <name>', description: 'of documents: the collection of those that name none' })
  parseCollection(text: string): string {
    return text;
  }

  @Option({ flags: '--format <format>', description: `${FORMATS.join(', ')}; default: by the name of the file` })
  parseFormat(text: string): FileFormat {
    const format = FORMATS.find((one) => one === text);
    if (format === undefined) throw new UsageError(`--format must be one of ${FORMATS.join(', ')}, not ${text}`);
    return format;
  }

  @Option({ flags: '--delimiter <delimiter>', description: 'of a CSV file: "," ";" or tab; default: what its first line has most of' })
  parseDelimiter(text: string): string {
    return text;
  }

  @Option({ flags: '--dry-run', description: 'check and count everything, write nothing' })
  parseDryRun(): boolean {
    return true;
  }

  @Option({
    flags: '--resume <job>',
    description: 'follow this import instead of sending a file; one that has failed goes on where it ended',
  })
  parseResume(text: string): string {
    return text;
  }

  @Option({ flags: '--problems <number>', description: `print at most so many problems (${PROBLEMS_SHOWN})` })
  parseProblems(text: string): number {
    return wholeNumber('--problems', text, 0);
  }

  async run([file]: string[], options: ImportOptions): Promise<void> {
    if (file === undefined && options.resume === undefined) throw new UsageError('Say which file to import; - is standard input.');
    if (file !== undefined && options.resume !== undefined)
      throw new UsageError('Give a file or --resume, not both: the service has the file of an import that is resumed.');
    const client = this.clientOf(options);
    const startedMs = performance.now();
    const begun = file === undefined ? await this.comeBack(client, options.resume!) : await this.send(client, file, options);
    const job = await this.followed(client, begun.id);
    const measuredMs = performance.now() - startedMs;
    const elapsedMs = file === undefined ? (workedMs(job) ?? measuredMs) : measuredMs;
    if (options.json !== true) await this.printProblems(client, job, file ?? 'line', options.problems ?? PROBLEMS_SHOWN);
    this.show(options, job, () => summaryText(job, elapsedMs));
    if (job.state !== 'done' || job.progress.rejected > 0) this.fail();
  }

  private async comeBack(client: KindredClient, id: string): Promise<ImportJobReply> {
    const job = await client.job<ImportJobReply>(id);
    return job.state === 'failed' ? client.resumeJob(job.id) : job;
  }

  private async send(client: KindredClient, file: string, options: ImportOptions): Promise<ImportJobReply> {
    const { contentType, format, delimiter } = fileTypeOf(file, options.format);
    const { collection, kind = collection !== undefined || format === 'markdown' || format === 'text' ? 'documents' : 'projects' } =
      options;
    const query = new URLSearchParams({ format });
    const chosen = options.delimiter ?? delimiter;
    if (chosen !== null) query.set('delimiter', chosen);
    if (options.dryRun === true) query.set('dry_run', 'true');
    if (collection !== undefined) query.set('collection', collection);
    if (file !== '-') query.set('file_name', basename(file));
    const job = await this.upload(client, `/api/v1/${kind}/import?${query.toString()}`, await openFile(file), contentType);
    process.stderr.write(`The file is stored. Come back to its import at any time with: ${comeBackText(job.id)}\n`);
    return job;
  }

  private async upload(client: KindredClient, path: string, { bytes, sizeBytes }: OpenFile, contentType: string): Promise<ImportJobReply> {
    const line = new ProgressLine(process.stderr);
    let sentBytes = 0;
    const counter = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        sentBytes += chunk.byteLength;
        line.show(uploadText(sentBytes, sizeBytes, process.stderr.isTTY === true));
        controller.enqueue(chunk);
      },
    });
    try {
      return await client.upload(path, bytes.pipeThrough(counter), sizeBytes, contentType);
    } finally {
      line.end();
    }
  }

  /** Ctrl-C leaves the import alone, as does a service that is away for long; both say how to come back to it. */
  private async followed(client: KindredClient, id: string): Promise<ImportJobReply> {
    const leave = (): never => {
      process.stderr.write(`\nThe import goes on in the service. Follow it with: ${comeBackText(id)}\n`);
      process.exit(1);
    };
    process.once('SIGINT', leave);
    try {
      return await this.follow(
        () => client.job<ImportJobReply>(id),
        ({ state }) => OVER.has(state),
        (job) => progressText(job, process.stderr.isTTY === true),
      );
    } catch (error) {
      if (!(error instanceof ServiceError) || !error.isPassing) throw error;
      const { message, code, isPassing, status } = error;
      const advice = `The import goes on when the service does. Follow it then with: ${comeBackText(id)}`;
      throw new ServiceError(message, code, { isPassing, status, advice });
    } finally {
      process.removeListener('SIGINT', leave);
    }
  }

  private async printProblems(client: KindredClient, job: ImportJobReply, file: string, most: number): Promise<void> {
    if (job.problems.found === 0 || most === 0) return;
    const { items } = await client.jobProblems<{ items: ImportProblem[] }>(job.id, Math.min(most, PROBLEMS_MAXIMUM));
    const left = job.problems.found - items.length;
    for (const problem of items) console.log(problemText(file === '-' ? 'standard input' : file, problem));
    if (left > 0) console.log(`… and ${left} more; GET /api/v1/jobs/${job.id}/problems lists them`);
    console.log('');
  }
}

interface OpenFile {
  /** As they are read: the file may be larger than the memory. */
  readonly bytes: ReadableStream<Uint8Array>;
  /** `null` = known at its end. */
  readonly sizeBytes: number | null;
}

/** @throws UsageError */
async function openFile(file: string): Promise<OpenFile> {
  if (file === '-') return { bytes: Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>, sizeBytes: null };
  try {
    // Says what is wrong; openAsBlob does not.
    await access(file, constants.R_OK);
    const blob = await openAsBlob(file);
    return { bytes: blob.stream(), sizeBytes: blob.size };
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
