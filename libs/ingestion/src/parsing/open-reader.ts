import type { ImportJob } from '../import-job.js';
import type { CsvFields } from './csv-header.js';
import { CsvReader } from './csv-reader.js';
import { NdjsonReader } from './ndjson-reader.js';
import type { ReadPosition, RowReader } from './read-row.js';
import { WholeFileReader } from './whole-file-reader.js';

/** The reader of the format of the job, from a position on. */
export function openReader(job: ImportJob, fields: CsvFields, from: ReadPosition, maxLineBytes: number): RowReader {
  switch (job.format) {
    case 'ndjson':
      return new NdjsonReader(from, maxLineBytes);
    case 'csv':
      return new CsvReader(from, { maxLineBytes, delimiter: job.options.delimiter, fields });
    case 'markdown':
    case 'text':
      return new WholeFileReader(from, { isMarkdown: job.format === 'markdown', maxBytes: maxLineBytes, fileName: job.fileName });
  }
}
