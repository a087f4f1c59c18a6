import { noQuery, uuidText } from '#rules';
import { RequiresScope } from '#security';
import { Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import {
  ApiConflictResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  ApiTooManyRequestsResponse,
} from '@nestjs/swagger';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { OVER_STATES, type ImportJob } from '../import-job.js';
import { ImportsService } from '../imports.service.js';
import { jobEvents } from './job-events.js';
import { jobReply } from './job-reply.js';
import { CANCELLED_JOB_EXAMPLE, EVENTS_EXAMPLE, JOB_EXAMPLE, JOB_PROBLEMS_EXAMPLE, QUEUED_JOB_EXAMPLE } from './job.examples.js';
import {
  jobLimitOf,
  jobListQuerySchema,
  jobPageSchema,
  jobProblemsSchema,
  jobSchema,
  problemLimitOf,
  problemListQuerySchema,
  type JobListParameters,
  type JobReply,
  type ProblemListParameters,
} from './job.schemas.js';
import { OpenStreams } from './open-streams.js';

/** Work that goes on behind a reply. */
@ApiTags('jobs')
@RequiresScope('read', 'write')
@Controller('api/v1/jobs')
export class JobsController {
  constructor(
    private readonly imports: ImportsService,
    private readonly streams: OpenStreams,
  ) {}

  @Get()
  @ApiOperation({
    operationId: 'listJobs',
    summary: 'List jobs',
    description: 'Newest first; a job is forgotten a month after it has ended.',
  })
  @ApiOkResponse({ description: 'A page', standardSchema: jobPageSchema, example: { items: [JOB_EXAMPLE], next_cursor: null } })
  async list(@Query({ schema: jobListQuerySchema }) query: JobListParameters) {
    const { items, hasMore } = await this.imports.list(query.cursor ?? null, jobLimitOf(query));
    return { items: await Promise.all(items.map((job) => this.replyOf(job))), next_cursor: hasMore ? (items.at(-1)?.id ?? null) : null };
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getJob',
    summary: 'How far a job is',
    description: 'Any process can be asked, not only the one that works on it.',
  })
  @ApiOkResponse({ description: 'The job', standardSchema: jobSchema, example: JOB_EXAMPLE })
  @ApiNotFoundResponse({ description: 'No such job' })
  async get(@Param('id', { schema: uuidText }) id: string, @Query({ schema: noQuery }) _query: unknown): Promise<JobReply> {
    return this.replyOf(await this.imports.get(id));
  }

  @Get(':id/problems')
  @ApiOperation({
    operationId: 'listJobProblems',
    summary: 'What was refused, line by line',
    description: 'In the order of the file. Of very many only the first are stored; left_out counts the others.',
  })
  @ApiOkResponse({ description: 'A page', standardSchema: jobProblemsSchema, example: JOB_PROBLEMS_EXAMPLE })
  @ApiNotFoundResponse({ description: 'No such job' })
  async problems(@Param('id', { schema: uuidText }) id: string, @Query({ schema: problemListQuerySchema }) query: ProblemListParameters) {
    const { problems } = jobReply(await this.imports.get(id), null);
    const { items, hasMore } = await this.imports.problems(id, query.cursor ?? 0, problemLimitOf(query));
    return {
      items: items.map(({ line, pointer, code, detail }) => ({ line, pointer, code, detail })),
      next_cursor: hasMore ? String(items.at(-1)!.ordinal) : null,
      left_out: problems.left_out,
    };
  }

  @Get(':id/events')
  @RouteConfig({ answersOtherForms: true })
  @ApiOperation({
    operationId: 'followJob',
    summary: 'Follow a job',
    description:
      'Server-sent events: `progress` with the whole job whenever something has changed, at most twice a second, and `end` as the last one. Who connects again gets the state as it is then.',
  })
  @ApiOkResponse({ description: 'Events', content: { 'text/event-stream': { schema: { type: 'string' }, example: EVENTS_EXAMPLE } } })
  @ApiNotFoundResponse({ description: 'No such job' })
  async events(
    @Param('id', { schema: uuidText }) id: string,
    @Query({ schema: noQuery }) _query: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const look = async (): Promise<JobReply> => this.replyOf(await this.imports.get(id));
    // Whatever is refused is refused as a problem, before the stream begins.
    await look();
    const isHead = reply.request.method === 'HEAD';
    const stream = isHead ? '' : this.streams.open((signal) => jobEvents({ look, isOver: ({ state }) => OVER_STATES.has(state), signal }));
    await reply
      .headers({ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
      .send(stream);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'cancelJob',
    summary: 'Cancel a job',
    description:
      'Idempotent. A job under way ends after the rows that are being written; what was written stays. One that is over stays as it is.',
  })
  @ApiOkResponse({ description: 'The job', standardSchema: jobSchema, example: CANCELLED_JOB_EXAMPLE })
  @ApiNotFoundResponse({ description: 'No such job' })
  async cancel(@Param('id', { schema: uuidText }) id: string, @Query({ schema: noQuery }) _query: unknown): Promise<JobReply> {
    return this.replyOf(await this.imports.cancel(id));
  }

  @Post(':id/resume')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'resumeJob',
    summary: 'Let a failed job go on',
    description: 'It goes on where it ended: nothing is missing and nothing is there twice. A job that is open already stays as it is.',
  })
  @ApiOkResponse({ description: 'The job', standardSchema: jobSchema, example: QUEUED_JOB_EXAMPLE })
  @ApiNotFoundResponse({ description: 'No such job' })
  @ApiConflictResponse({ description: 'The job has not failed, or its file is gone' })
  @ApiTooManyRequestsResponse({ description: 'Too many imports are open' })
  async resume(@Param('id', { schema: uuidText }) id: string, @Query({ schema: noQuery }) _query: unknown): Promise<JobReply> {
    return this.replyOf(await this.imports.resume(id));
  }

  private async replyOf(job: ImportJob): Promise<JobReply> {
    return jobReply(job, await this.imports.indexBacklog(job));
  }
}
