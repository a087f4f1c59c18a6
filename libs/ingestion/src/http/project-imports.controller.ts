import { Controller, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiAcceptedResponse, ApiOperation, ApiTags, ApiTooManyRequestsResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ImportTargets } from '../import-targets.js';
import { ImportsService } from '../imports.service.js';
import { declaredBytesOf, fileOf, formatOf, importOptionsOf, importQuerySchema, type ImportParameters } from './import-request.js';
import { PROJECTS_CSV_EXAMPLE, PROJECTS_NDJSON_EXAMPLE, QUEUED_JOB_EXAMPLE } from './job.examples.js';
import { jobReply } from './job-reply.js';
import { jobSchema, type JobReply } from './job.schemas.js';

const KIND = 'projects';

/** Files of projects. */
@ApiTags('projects')
@Controller('api/v1/projects')
export class ProjectImportsController {
  constructor(
    private readonly imports: ImportsService,
    private readonly targets: ImportTargets,
  ) {}

  @Post('import')
  @HttpCode(202)
  @RouteConfig({ streamsBody: true })
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
    @Query({ schema: importQuerySchema }) query: ImportParameters,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<JobReply> {
    const format = formatOf(request, query.format, this.targets.get(KIND).formats);
    const wanted = { kind: KIND, format, options: importOptionsOf(query), fileName: query.file_name ?? null } as const;
    const job = await this.imports.receive(wanted, fileOf(request), declaredBytesOf(request));
    reply.header('location', `/api/v1/jobs/${job.id}`);
    return jobReply(job, await this.imports.indexBacklog(job));
  }
}
