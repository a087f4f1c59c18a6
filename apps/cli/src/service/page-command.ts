import { Option } from 'nest-commander';
import { ServiceCommand, wholeNumber, type ServiceOptions } from './service-command.js';

export interface PageOptions extends ServiceOptions {
  readonly limit?: number;
  readonly cursor?: string;
}

/** A command that lists something page by page. */
export abstract class PageCommand extends ServiceCommand {
  @Option({ flags: '--limit <number>', description: 'at most so many' })
  parseLimit(text: string): number {
    return wholeNumber('--limit', text);
  }

  @Option({ flags: '--cursor <cursor>', description: 'the page after this one' })
  parseCursor(text: string): string {
    return text;
  }

  /** A table, and how to see what comes behind it. */
  protected paged(table: string, nextCursor: string | null): string {
    return nextCursor === null ? table : `${table}\nMore: --cursor ${nextCursor}`;
  }
}
