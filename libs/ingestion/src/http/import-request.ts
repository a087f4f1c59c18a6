import { collectionReference } from '#documents';
import { DomainError } from '#kernel';
import { storableText } from '#rules';
import type { FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { IMPORT_FORMATS, type ImportFormat, type ImportOptions } from '../import-job.js';

const FILE_NAME_MAX_LENGTH = 255;

const FORMAT_OF_TYPE: Readonly<Record<string, ImportFormat>> = {
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
  'text/csv': 'csv',
  'text/markdown': 'markdown',
  'text/plain': 'text',
};

const DELIMITERS = { auto: null, ',': ',', ';': ';', tab: '\t' } as const;

/** Query of an import of projects. */
export const projectImportQuerySchema = z.strictObject({
  format: z.enum(IMPORT_FORMATS).describe('Of the file; default: what Content-Type says').optional(),
  delimiter: z.enum(['auto', ',', ';', 'tab']).describe('Of a CSV file; default auto: what the first line has most of').optional(),
  dry_run: z.enum(['true', 'false']).describe('true: everything is checked and counted, nothing is written').optional(),
  mode: z.enum(['upsert']).describe('Rows replace those with the same external_id; rows without one are new').optional(),
  file_name: storableText(FILE_NAME_MAX_LENGTH).describe('For people').optional(),
});
export type ProjectImportParameters = z.output<typeof projectImportQuerySchema>;

/** Query of an import of documents. */
export const documentImportQuerySchema = projectImportQuerySchema.extend({
  collection: collectionReference
    .describe('Name or id of the collection of rows that name none; a Markdown or text file needs it')
    .optional(),
});
export type DocumentImportParameters = z.output<typeof documentImportQuerySchema>;

/** What the parameters say of the file. */
export function importOptionsOf({ delimiter = 'auto', dry_run }: ProjectImportParameters, collectionId: string | null): ImportOptions {
  return { collectionId, delimiter: DELIMITERS[delimiter], isDryRun: dry_run === 'true' };
}

/**
 * The format of the file: the parameter decides, then Content-Type.
 *
 * @throws DomainError `request.unsupported-media-type` when neither says one that can be imported here
 */
export function formatOf(request: FastifyRequest, given: ImportFormat | undefined, formats: readonly ImportFormat[]): ImportFormat {
  const [type = '', ...parameters] = (request.headers['content-type'] ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  if (parameters.some((parameter) => parameter.startsWith('charset=') && !/^charset="?utf-?8"?$/.test(parameter)))
    throw new DomainError('request.unsupported-media-type', { detail: 'Files are sent as UTF-8' });
  const format = given ?? FORMAT_OF_TYPE[type];
  if (format !== undefined && formats.includes(format)) return format;
  throw new DomainError('request.unsupported-media-type', {
    detail: `Send the file as ${formats.map((one) => TYPE_OF_FORMAT[one]).join(' or ')}, or say ?format=${formats.join('|')}`,
  });
}

const TYPE_OF_FORMAT: Readonly<Record<ImportFormat, string>> = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv',
  markdown: 'text/markdown',
  text: 'text/plain',
};

/** The body as it arrives; a request without one has an empty file. @throws DomainError `request.unsupported-media-type` for a body that was parsed */
export function fileOf(request: FastifyRequest): Readable {
  if (request.body instanceof Readable) return request.body;
  if (request.body === undefined || request.body === null) return Readable.from([]);
  throw new DomainError('request.unsupported-media-type', { detail: 'Send the file itself as the body, not as JSON' });
}

/** What Content-Length says; `null` = nothing. */
export function declaredBytesOf(request: FastifyRequest): number | null {
  const length = Number(request.headers['content-length'] ?? Number.NaN);
  return Number.isSafeInteger(length) ? length : null;
}
