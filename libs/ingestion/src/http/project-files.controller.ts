import { listQueryOf, projectListQuerySchema, PROJECT_EXAMPLE } from '#projects';
import { Claim, Idempotent, type IdempotencyClaim } from '#idempotency';
import { RequiresScope } from '#security';
import { Controller, Get, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags, ApiTooManyRequestsResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ExportsService } from '../export/exports.service.js';
import { ImportTargets } from '../import-targets.js';
import { ImportsService } from '../imports.service.js';
import { exportFormat, sendExport } from './export-reply.js';
import {
  declaredBytesOf,
  fileOf,
  formatOf,
  importOptionsOf,
  projectImportQuerySchema,
  type ProjectImportParameters,
} from './import-request.js';
import { PROJECTS_CSV_EXAMPLE, PROJECTS_NDJSON_EXAMPLE, QUEUED_JOB_EXAMPLE } from './job.examples.js';
import { jobReply } from './job-reply.js';
import { jobLocation, keepJob } from './keep-job.js';
import { jobSchema, type JobReply } from './job.schemas.js';
import { OpenStreams } from './open-streams.js';

const KIND = 'projects';

/** Query of an export: the filters of the list. */
const exportQuerySchema = projectListQuerySchema.omit({ limit: true, cursor: true, sort: true }).extend({ format: exportFormat });
type ExportParameters = z.output<typeof exportQuerySchema>;

/** Files of projects. */
@ApiTags('projects')
@RequiresScope('read', 'write')
@Controller('api/v1/projects')
export class ProjectFilesController {
  constructor(
    private readonly imports: ImportsService,
    private readonly exports: ExportsService,
    private readonly targets: ImportTargets,
    private readonly streams: OpenStreams,
  ) {}

  @Post('import')
  @HttpCode(202)
  @RouteConfig({ streamsBody: true })
  @Idempotent()
  @ApiOperation({
    operationId: 'importProjects',
    summary: 'Import a file of projects',
    description:
      'Takes the file as it is and answers when it has been stored; a job reads it afterwards, see Location. NDJSON with one project per line, or CSV whose first line names the columns. A row with an external_id replaces the row that has it, and an equal one is left alone. What is refused is a problem of its line; the other lines are not affected.',
    requestBody: {
      required: true,
      content: {
        'application/x-ndjson': { schema: { type: 'string' }, example: PROJECTS_NDJSON_EXAMPLE },
        'text/csv': { schema: { type: 'string' }, example: PROJECTS_CSV_EXAMPLE },
      },
    },
  })
  @ApiAcceptedResponse({
    description: 'Stored; the job waits for its turn',
    standardSchema: jobSchema,
    example: QUEUED_JOB_EXAMPLE,
    headers: { Location: { description: 'Path of the job', schema: { type: 'string' } } },
  })
  @ApiTooManyRequestsResponse({ description: 'Too many imports are open' })
  async import(
    @Req() request: FastifyRequest,
    @Query({ schema: projectImportQuerySchema }) query: ProjectImportParameters,
    @Claim() claim: IdempotencyClaim | null,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JobReply> {
    const format = formatOf(request, query.format, this.targets.get(KIND).formats);
    const wanted = { kind: KIND, format, options: importOptionsOf(query, null), fileName: query.file_name ?? null } as const;
    const job = await this.imports.receive(wanted, fileOf(request), declaredBytesOf(request), keepJob(claim));
    reply.header('location', jobLocation(job));
    return jobReply(job, await this.imports.indexBacklog(job));
  }

  @Get('export')
  @RouteConfig({ answersOtherForms: true })
  @ApiOperation({
    operationId: 'exportProjects',
    summary: 'Export projects as a file',
    description:
      'All rows that meet the filters, oldest first, as they are read: a row that is there all the while comes exactly once. An import takes the file back: it changes no row that has an external_id, and adds those without one once more. A reply that ends early is cut off, and never looks whole.',
  })
  @ApiOkResponse({
    description: 'The file',
    headers: { 'Content-Disposition': { description: 'Name of the file', schema: { type: 'string' } } },
    content: {
      'application/x-ndjson': { schema: { type: 'string' }, example: `${JSON.stringify(PROJECT_EXAMPLE)}\n` },
      'text/csv': { schema: { type: 'string' }, example: PROJECTS_CSV_EXAMPLE },
    },
  })
  async export(
    @Query({ schema: exportQuerySchema }) { format = 'ndjson', ...query }: ExportParameters,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { filter, externalId } = listQueryOf(query);
    await sendExport(reply, this.streams, { name: KIND, format, produce: this.exports.exportProjects(format, { filter, externalId }) });
  }
}
