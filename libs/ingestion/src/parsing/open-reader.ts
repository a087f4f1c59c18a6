import type { ImportJob } from '../import-job.js';
import type { ImportTarget } from '../import-target.js';
import { CsvReader } from './csv-reader.js';
import { NdjsonReader } from './ndjson-reader.js';
import type { ReadPosition, RowReader } from './read-row.js';

/** The reader of the format of the job, from a position on. */
export function openReader(job: ImportJob, target: ImportTarget, from: ReadPosition, maxLineBytes: number): RowReader {
  switch (job.format) {
    case 'ndjson':
      return new NdjsonReader(from, maxLineBytes);
    case 'csv':
      return new CsvReader(from, { maxLineBytes, delimiter: job.options.delimiter, fields: target.csv });
    default:
      throw new Error(`There is no reader for ${job.format}`);
  }
}
