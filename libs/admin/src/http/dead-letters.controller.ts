import { noQuery } from '#rules';
import { DeadLetters } from '#sync';
import { Body, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { AdminController } from './admin-route.js';
import { DEAD_LETTER_PAGE_EXAMPLE, MUTE_EXAMPLE, REQUEUE_EXAMPLES } from './admin.examples.js';
import {
  deadLetterPageSchema,
  deadLetterQuerySchema,
  deadLetterReplyOf,
  limitOf,
  mutedSchema,
  muteSchema,
  requeuedSchema,
  requeueSchema,
  selectionOf,
  unmutedSchema,
  unmuteSchema,
  type DeadLetterParameters,
  type MuteRequest,
  type RequeueRequest,
  type UnmuteRequest,
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

  @Post('mute')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'muteDeadLetters',
    summary: 'Leave dead letters as they are',
    description:
      'Takes them out of counts and alerts until their row changes or they are requeued. They still hold up the switch of a generation.',
  })
  @ApiBody({ schema: {}, examples: { broken: { summary: 'A row that cannot be mended', value: MUTE_EXAMPLE } } })
  @ApiOkResponse({ description: 'How many; what is not dead is left out', standardSchema: mutedSchema, example: { muted: 1 } })
  async mute(@Body({ schema: muteSchema }) { ids, reason, source, generation }: MuteRequest, @Query({ schema: noQuery }) _query: unknown) {
    return this.deadLetters.mute(ids, reason, { source, generationId: generation });
  }

  @Post('unmute')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'unmuteDeadLetters',
    summary: 'Let muted dead letters count again',
    description: 'What is not muted is left out of the count.',
  })
  @ApiBody({ schema: {}, examples: { one: { summary: 'One row', value: { ids: MUTE_EXAMPLE.ids } } } })
  @ApiOkResponse({ description: 'How many', standardSchema: unmutedSchema, example: { unmuted: 1 } })
  async unmute(@Body({ schema: unmuteSchema }) { ids, source, generation }: UnmuteRequest, @Query({ schema: noQuery }) _query: unknown) {
    return this.deadLetters.unmute(ids, { source, generationId: generation });
  }
}
