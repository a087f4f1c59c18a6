import { Idempotent } from '#idempotency';
import { noQuery } from '#rules';
import { Schedules } from '#sync';
import { Body, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBody, ApiConflictResponse, ApiNotFoundResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { AdminController, adminPath } from './admin-route.js';
import { emptyBodySchema } from './admin-rules.js';
import { SCHEDULE_LIST_EXAMPLE, SCHEDULE_RUN_EXAMPLE } from './admin.examples.js';
import {
  historyQuerySchema,
  limitOf,
  runReplyOf,
  scheduleListSchema,
  scheduleName,
  scheduleReplyOf,
  scheduleRunsSchema,
  startedRunSchema,
  type HistoryParameters,
} from './schedules.schemas.js';

/** Recurring work of the engine. */
@AdminController('schedules')
export class SchedulesController {
  constructor(private readonly schedules: Schedules) {}

  @Get()
  @ApiOperation({
    operationId: 'listSchedules',
    summary: 'List schedules',
    description: 'When each is due next, and how its last run went, in whatever process that was.',
  })
  @ApiOkResponse({ description: 'All of them', standardSchema: scheduleListSchema, example: SCHEDULE_LIST_EXAMPLE })
  async list(@Query({ schema: noQuery }) _query: unknown) {
    return { items: (await this.schedules.list()).map(scheduleReplyOf) };
  }

  @Get(':name')
  @ApiOperation({
    operationId: 'listScheduleRuns',
    summary: 'Runs of a schedule',
    description: 'Newest first; they are kept for seven days.',
  })
  @ApiOkResponse({ description: 'The runs', standardSchema: scheduleRunsSchema, example: { items: [SCHEDULE_RUN_EXAMPLE] } })
  @ApiNotFoundResponse({ description: 'No such schedule' })
  async history(@Param('name', { schema: scheduleName }) name: string, @Query({ schema: historyQuerySchema }) query: HistoryParameters) {
    return { items: (await this.schedules.history(name, limitOf(query))).map(runReplyOf) };
  }

  @Post(':name/run')
  @HttpCode(202)
  @Idempotent()
  @ApiOperation({
    operationId: 'runSchedule',
    summary: 'Run a schedule now',
    description: 'In the process that answers, also when it is switched off. Two runs of one schedule never go at once.',
  })
  @ApiBody({ schema: {}, required: false, examples: { empty: { summary: 'Nothing to say', value: {} } } })
  @ApiAcceptedResponse({
    description: 'It has begun',
    standardSchema: startedRunSchema,
    example: { schedule: 'quick-check', due_at: SCHEDULE_RUN_EXAMPLE.due_at },
    headers: { Location: { description: 'Path of the runs of the schedule', schema: { type: 'string' } } },
  })
  @ApiNotFoundResponse({ description: 'No such schedule' })
  @ApiConflictResponse({ description: 'A run of it has not ended' })
  async run(
    @Param('name', { schema: scheduleName }) name: string,
    @Body({ schema: emptyBodySchema.prefault({}) }) _body: unknown,
    @Query({ schema: noQuery }) _query: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const dueAt = await this.schedules.runNow(name);
    reply.header('location', adminPath(`schedules/${name}`));
    return { schedule: name, due_at: dueAt.toISOString() };
  }
}
