import { Command, Option } from 'nest-commander';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ServiceCommand, type ServiceOptions } from '../service/service-command.js';
import { ServiceError } from '../service/service-error.js';
import { UsageError } from '../service/usage-error.js';
import { parseKind, TRANSFER_KINDS } from './transfer-kind.js';

interface ExportOptions extends ServiceOptions {
  readonly format?: string;
  readonly out?: string;
  readonly collection?: string;
}

const FORMATS = ['ndjson', 'csv'];

@Command({
  name: 'export',
  arguments: '<kind>',
  description: `Export ${TRANSFER_KINDS.join(' or ')} as a file that can be imported again: rows with an external_id stay as they are, others are added once more`,
})
export class ExportCommand extends ServiceCommand {
  @Option({ flags: '--format <format>', description: 'ndjson (default) or csv' })
  parseFormat(text: string): string {
    if (!FORMATS.includes(text)) throw new UsageError(`--format must be ${FORMATS.join(' or ')}, not ${text}`);
    return text;
  }

  @Option({ flags: '--out <file>', description: 'write to this file; default: standard output' })
  parseOut(text: string): string {
    return text;
  }

  @Option({ flags: '--collection <name>', description: 'of documents: only this collection' })
  parseCollection(text: string): string {
    return text;
  }

  async run([word]: string[], options: ExportOptions): Promise<void> {
    const kind = parseKind(word);
    if (options.collection !== undefined && kind !== 'documents') throw new UsageError('--collection is for documents.');
    const query = new URLSearchParams({ format: options.format ?? 'ndjson' });
    if (options.collection !== undefined) query.set('collection', options.collection);
    const rows = await this.clientOf(options).download(`/api/v1/${kind}/export?${query.toString()}`);
    await save(rows, options.out);
  }
}

/** Writes beside the file and renames at the end: a file that is there is whole. */
async function save(rows: ReadableStream<Uint8Array>, path: string | undefined): Promise<void> {
  const source = Readable.fromWeb(rows as Parameters<typeof Readable.fromWeb>[0]);
  try {
    if (path === undefined) {
      await pipeline(source, process.stdout, { end: false });
      return;
    }
    const part = `${path}.part`;
    try {
      await pipeline(source, createWriteStream(part));
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  } catch (error) {
    throw new ServiceError(`The export is not whole: ${error instanceof Error ? error.message : String(error)}`);
  }
}
