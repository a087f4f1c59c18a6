import { noQuery } from '#rules';
import { DeadLetters } from '#sync';
import { Body, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { AdminController } from './admin-route.js';
import { DEAD_LETTER_PAGE_EXAMPLE, REQUEUE_EXAMPLES } from './admin.examples.js';
import {
  deadLetterPageSchema,
  deadLetterQuerySchema,
  deadLetterReplyOf,
  limitOf,
  requeuedSchema,
  requeueSchema,
  selectionOf,
  type DeadLetterParameters,
  type RequeueRequest,
} from './dead-letters.schemas.js';

/** Rows that the index has given up on. */
@AdminController('dead-letters')
export class DeadLettersController {
  constructor(private readonly deadLetters: DeadLetters) {}

  @Get()
  @ApiOperation({
    operationId: 'listDeadLetters',
    summary: 'List what the index has given up on',
    description: 'Rows that failed too often, with the reason of the last attempt. They are left alone until they change or are requeued.',
  })
  @ApiOkResponse({ description: 'A page, by generation and id', standardSchema: deadLetterPageSchema, example: DEAD_LETTER_PAGE_EXAMPLE })
  async list(@Query({ schema: deadLetterQuerySchema }) query: DeadLetterParameters) {
    const { items, next } = await this.deadLetters.list({
      source: query.source,
      generationId: query.generation,
      code: query.code,
      limit: limitOf(query),
      after: query.cursor,
    });
    return { items: items.map(deadLetterReplyOf), next_cursor: next };
  }

  @Post('requeue')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'requeueDeadLetters',
    summary: 'Give dead letters another life',
    description: 'Makes them pending with no attempts made: by id, by error code, or all. What is not dead is left out of the count.',
  })
  @ApiBody({ schema: {}, examples: REQUEUE_EXAMPLES })
  @ApiOkResponse({ description: 'How many', standardSchema: requeuedSchema, example: { requeued: 3 } })
  async requeue(@Body({ schema: requeueSchema }) body: RequeueRequest, @Query({ schema: noQuery }) _query: unknown) {
    return this.deadLetters.requeue(selectionOf(body));
  }
}
