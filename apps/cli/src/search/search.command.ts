import { Command, Option } from 'nest-commander';
import { documentTable, projectTable } from '../output/result-table.js';
import type { KindredClient, QueryReply, SearchReply } from '../service/kindred-client.js';
import { ServiceCommand, wholeNumber, type ServiceOptions } from '../service/service-command.js';
import { UsageError } from '../service/usage-error.js';
import { addFilter, type Filters } from './filter-option.js';

interface SearchOptions extends ServiceOptions {
  readonly topK?: number;
  readonly threshold?: number;
  readonly mode?: string;
  readonly filter?: Filters;
  readonly documents?: boolean;
  readonly collection?: string;
}

const MODES = ['vector', 'keyword', 'hybrid'];

@Command({
  name: 'search',
  arguments: '<text>',
  description: 'Find the projects that are most like a text, with their prices; or, with --documents, passages of documents',
})
export class SearchCommand extends ServiceCommand {
  @Option({ flags: '--top-k <number>', description: 'at most so many (5)' })
  parseTopK(text: string): number {
    return wholeNumber('--top-k', text);
  }

  @Option({
    flags: '--threshold <cosine>',
    description: 'only what is at least so similar, -1 to 1; default: SIMILARITY_THRESHOLD of the service',
  })
  parseThreshold(text: string): number {
    const value = Number(text);
    if (text.trim() === '' || !(value >= -1 && value <= 1)) throw new UsageError(`--threshold must be a number from -1 to 1, not ${text}`);
    return value;
  }

  @Option({ flags: '--mode <mode>', description: `${MODES.join(', ')}; default: hybrid` })
  parseMode(text: string): string {
    if (!MODES.includes(text)) throw new UsageError(`--mode must be one of ${MODES.join(', ')}, not ${text}`);
    return text;
  }

  @Option({ flags: '--filter <condition>', description: 'field=value, or field<number (also <=, >, >=); again for more' })
  parseFilter(text: string, before?: Filters): Filters {
    return addFilter(text, before);
  }

  @Option({ flags: '--documents', description: 'search documents instead of projects' })
  parseDocuments(): boolean {
    return true;
  }

  @Option({ flags: '--collection <name>', description: 'of documents: only this collection' })
  parseCollection(text: string): string {
    return text;
  }

  async run([query]: string[], options: SearchOptions): Promise<void> {
    const client = this.clientOf(options);
    if (options.documents === true) await this.searchDocuments(client, query!, options);
    else await this.searchProjects(client, query!, options);
  }

  private async searchProjects(client: KindredClient, query: string, options: SearchOptions): Promise<void> {
    if (options.collection !== undefined) throw new UsageError('--collection is for documents: give --documents as well.');
    const { topK, threshold, mode, filter } = options;
    const body = { query, top_k: topK, threshold, mode, filters: filter };
    const reply = await client.call<SearchReply>('POST', '/api/v1/similarity/find-similar', body);
    this.show(options, reply, () => textOf(projectTable(reply), reply, reply.search_time_ms));
  }

  private async searchDocuments(client: KindredClient, query: string, options: SearchOptions): Promise<void> {
    const { topK, threshold, mode, filter, collection } = options;
    const body = { query, top_k: topK, threshold, mode, filters: filter, collection };
    const reply = await client.call<QueryReply>('POST', '/api/v1/query', body);
    this.show(options, reply, () => textOf(documentTable(reply), reply, reply.query_time_ms));
  }
}

function textOf(table: string, reply: SearchReply | QueryReply, timeMs: number): string {
  const found = reply.results.length === 0 ? 'Nothing is that similar; try a lower --threshold.' : table;
  const pending = (reply.index?.pending ?? 0) === 0 ? '' : `, ${reply.index!.pending} changes not in the index yet`;
  const degraded = reply.degraded ? '; degraded: the index or its model is away' : '';
  return `${found}\n\n${timeMs} ms, answered by the ${reply.source} index${pending}${degraded}`;
}
