import { extname } from 'node:path';
import { UsageError } from '../service/usage-error.js';

export const FORMATS = ['ndjson', 'csv', 'markdown', 'text'] as const;
export type FileFormat = (typeof FORMATS)[number];

/** What a file is, and how it is sent. */
export interface FileType {
  readonly format: FileFormat;
  readonly contentType: string;
  /** Of a CSV file whose name says it; `null` = the service finds out. */
  readonly delimiter: 'tab' | null;
}

const CONTENT_TYPES: Readonly<Record<FileFormat, string>> = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv',
  markdown: 'text/markdown',
  text: 'text/plain',
};

const FORMAT_OF_EXTENSION: Readonly<Record<string, FileFormat>> = {
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.csv': 'csv',
  '.tsv': 'csv',
  '.md': 'markdown',
  '.markdown': 'markdown',
  '.txt': 'text',
};

/** What the file is by its name, unless the person says it. @throws UsageError when neither tells */
export function fileTypeOf(name: string, given: FileFormat | undefined): FileType {
  const extension = extname(name).toLowerCase();
  const format = given ?? FORMAT_OF_EXTENSION[extension];
  if (format === undefined)
    throw new UsageError(
      `What ${name === '-' ? 'comes from standard input' : name} is cannot be told by its name; say --format ${FORMATS.join('|')}`,
    );
  return { format, contentType: CONTENT_TYPES[format], delimiter: extension === '.tsv' ? 'tab' : null };
}
