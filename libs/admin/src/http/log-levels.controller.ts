import { LOG_COMPONENTS, LOG_LEVELS } from '#kernel';
import { LogLevels } from '#observability';
import { noQuery } from '#rules';
import { Body, Get, HttpCode, Post, Put, Query } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { z } from 'zod';
import { AdminController } from './admin-route.js';
import { emptyBodySchema } from './admin-rules.js';

const levelsSchema = z.strictObject({ levels: z.record(z.string(), z.enum(LOG_LEVELS)) }).meta({ id: 'LogLevels' });
const setLevelSchema = z
  .strictObject({
    component: z.enum(['*', ...LOG_COMPONENTS]).describe('* = all of them'),
    level: z.enum(LOG_LEVELS),
  })
  .meta({ id: 'SetLogLevelRequest' });
const EXAMPLE = { levels: { sync: 'debug' as const, http: 'info' as const } };

/** What the process that answers writes into its log. */
@AdminController('log-levels')
export class LogLevelsController {
  constructor(private readonly levels: LogLevels) {}

  @Get()
  @ApiOperation({
    operationId: 'getLogLevels',
    summary: 'Log levels',
    description: 'Of each component, in the process that answers. LOG_LEVEL says with which ones a process starts.',
  })
  @ApiOkResponse({ description: 'As they are now', standardSchema: levelsSchema, example: EXAMPLE })
  read(@Query({ schema: noQuery }) _query: unknown) {
    return { levels: { ...this.levels.get() } };
  }

  @Put()
  @ApiOperation({
    operationId: 'setLogLevel',
    summary: 'Change a log level',
    description: 'At once, in the process that answers, until it ends.',
  })
  @ApiBody({ schema: {}, examples: { sync: { summary: 'See what the relay does', value: { component: 'sync', level: 'debug' } } } })
  @ApiOkResponse({ description: 'As they are now', standardSchema: levelsSchema, example: EXAMPLE })
  set(@Body({ schema: setLevelSchema }) body: z.output<typeof setLevelSchema>, @Query({ schema: noQuery }) _query: unknown) {
    this.levels.set(body.component as Parameters<LogLevels['set']>[0], body.level);
    return { levels: { ...this.levels.get() } };
  }

  @Post('reset')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'resetLogLevels',
    summary: 'Go back to the configured log levels',
    description: 'Those of LOG_LEVEL, at once, in the process that answers.',
  })
  @ApiBody({ schema: {}, required: false, examples: { empty: { summary: 'Nothing to say', value: {} } } })
  @ApiOkResponse({ description: 'As they are now', standardSchema: levelsSchema, example: EXAMPLE })
  reset(@Body({ schema: emptyBodySchema.prefault({}) }) _body: unknown, @Query({ schema: noQuery }) _query: unknown) {
    this.levels.reset();
    return { levels: { ...this.levels.get() } };
  }
}
