import { Command, Option } from 'nest-commander';
import { ServiceCommand, type ServiceOptions } from '../service/service-command.js';
import { UsageError } from '../service/usage-error.js';
import { saveStream } from './save-stream.js';
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
    await saveStream(rows, options.out);
  }
}
