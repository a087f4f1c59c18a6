import { DOCUMENT_EXAMPLE, documentListQueryOf, documentListQuerySchema } from '#documents';
import { Claim, Idempotent, type IdempotencyClaim } from '#idempotency';
import { RequiresScope } from '#security';
import { Controller, Get, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import {
  ApiAcceptedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  ApiTooManyRequestsResponse,
  ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { CollectionLookup } from '../collection-lookup.js';
import { ExportsService } from '../export/exports.service.js';
import { ImportTargets } from '../import-targets.js';
import { ImportsService } from '../imports.service.js';
import { exportFormat, sendExport } from './export-reply.js';
import {
  declaredBytesOf,
  documentImportQuerySchema,
  fileOf,
  formatOf,
  importOptionsOf,
  type DocumentImportParameters,
} from './import-request.js';
import { DOCUMENTS_CSV_EXAMPLE, DOCUMENTS_NDJSON_EXAMPLE, MARKDOWN_EXAMPLE, QUEUED_JOB_EXAMPLE } from './job.examples.js';
import { jobReply } from './job-reply.js';
import { jobLocation, keepJob } from './keep-job.js';
import { jobSchema, type JobReply } from './job.schemas.js';
import { OpenStreams } from './open-streams.js';

const KIND = 'documents';
const UNKNOWN = { description: 'The collection does not exist' };

/** Query of an export: the filters of the list. */
const exportQuerySchema = documentListQuerySchema.omit({ limit: true, cursor: true, sort: true }).extend({ format: exportFormat });
type ExportParameters = z.output<typeof exportQuerySchema>;

/** Files of documents. */
@ApiTags('documents')
@RequiresScope('read', 'write')
@Controller('api/v1/documents')
export class DocumentFilesController {
  constructor(
    private readonly imports: ImportsService,
    private readonly exports: ExportsService,
    private readonly collections: CollectionLookup,
    private readonly targets: ImportTargets,
    private readonly streams: OpenStreams,
  ) {}

  @Post('import')
  @HttpCode(202)
  @RouteConfig({ streamsBody: true })
  @Idempotent()
  @ApiOperation({
    operationId: 'importDocuments',
    summary: 'Import a file of documents',
    description:
      'Takes the file as it is and answers when it has been stored; a job reads it afterwards, see Location. NDJSON with one document per line, CSV whose first line names the columns (question and answer stand for title and content), or a Markdown or text file that is one document, with its name as external_id. A document with an external_id replaces the one of its collection that has it, and an equal one is left alone. What is refused is a problem of its line; the other lines are not affected.',
    requestBody: {
      required: true,
      content: {
        'application/x-ndjson': { schema: { type: 'string' }, example: DOCUMENTS_NDJSON_EXAMPLE },
        'text/csv': { schema: { type: 'string' }, example: DOCUMENTS_CSV_EXAMPLE },
        'text/markdown': { schema: { type: 'string' }, example: MARKDOWN_EXAMPLE },
        'text/plain': { schema: { type: 'string' }, example: MARKDOWN_EXAMPLE },
      },
    },
  })
  @ApiAcceptedResponse({
    description: 'Stored; the job waits for its turn',
    standardSchema: jobSchema,
    example: { ...QUEUED_JOB_EXAMPLE, kind: KIND, file_name: 'faq.csv' },
    headers: { Location: { description: 'Path of the job', schema: { type: 'string' } } },
  })
  @ApiUnprocessableEntityResponse(UNKNOWN)
  @ApiTooManyRequestsResponse({ description: 'Too many imports are open' })
  async import(
    @Req() request: FastifyRequest,
    @Query({ schema: documentImportQuerySchema }) { collection, ...query }: DocumentImportParameters,
    @Claim() claim: IdempotencyClaim | null,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JobReply> {
    const format = formatOf(request, query.format, this.targets.get(KIND).formats);
    const collectionId = collection === undefined ? null : await this.collections.idOf(collection);
    const wanted = { kind: KIND, format, options: importOptionsOf(query, collectionId), fileName: query.file_name ?? null } as const;
    const job = await this.imports.receive(wanted, fileOf(request), declaredBytesOf(request), keepJob(claim));
    reply.header('location', jobLocation(job));
    return jobReply(job, await this.imports.indexBacklog(job));
  }

  @Get('export')
  @RouteConfig({ answersOtherForms: true })
  @ApiOperation({
    operationId: 'exportDocuments',
    summary: 'Export documents as a file',
    description:
      'All documents that meet the filters, oldest first, as they are read: one that is there all the while comes exactly once. An import takes the file back: it changes no document that has an external_id, adds those without one once more, and refuses those without a title. A reply that ends early is cut off, and never looks whole.',
  })
  @ApiOkResponse({
    description: 'The file',
    headers: { 'Content-Disposition': { description: 'Name of the file', schema: { type: 'string' } } },
    content: {
      'application/x-ndjson': { schema: { type: 'string' }, example: `${JSON.stringify(DOCUMENT_EXAMPLE)}\n` },
      'text/csv': { schema: { type: 'string' }, example: DOCUMENTS_CSV_EXAMPLE },
    },
  })
  @ApiUnprocessableEntityResponse(UNKNOWN)
  async export(
    @Query({ schema: exportQuerySchema }) { format = 'ndjson', ...query }: ExportParameters,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const produce = await this.exports.exportDocuments(format, documentListQueryOf(query).filter);
    await sendExport(reply, this.streams, { name: KIND, format, produce });
  }
}
