import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { EXPORT_FORMATS, type ExportFormat } from '../export/export-rows.js';
import type { OpenStreams } from './open-streams.js';

const CONTENT_TYPES: Readonly<Record<ExportFormat, string>> = {
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
};

export const exportFormat = z
  .enum(EXPORT_FORMATS)
  .describe('ndjson (default): one JSON object per line; csv: with a header, safe to open in a spreadsheet')
  .optional();

/** Sends an export as it is made; a client that reads slowly slows it down. */
export async function sendExport(
  reply: FastifyReply,
  streams: OpenStreams,
  {
    name,
    format,
    produce,
  }: { readonly name: string; readonly format: ExportFormat; readonly produce: (signal: AbortSignal) => AsyncGenerator<string> },
): Promise<void> {
  const headers = {
    'content-type': CONTENT_TYPES[format],
    'content-disposition': `attachment; filename="${name}.${format}"`,
    'cache-control': 'no-store',
  };
  // To HEAD the answer is the same without the body, which need not be made for that.
  await reply.headers(headers).send(reply.request.method === 'HEAD' ? '' : streams.open(produce));
}
