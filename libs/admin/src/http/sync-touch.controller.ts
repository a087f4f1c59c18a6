import { DomainError } from '#kernel';
import { noQuery } from '#rules';
import { LedgerTouch } from '#sync';
import { Body, HttpCode, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBody, ApiNotFoundResponse, ApiOperation, ApiUnprocessableEntityResponse } from '@nestjs/swagger';
import { GenerationTargets } from '../generation-targets.js';
import { AdminController } from './admin-route.js';
import { touchedSchema, TOUCHED_EXAMPLE, TOUCH_EXAMPLES, touchSchema, type TouchRequest } from './sync-touch.schemas.js';

/** Has rows written to the index again, although nothing says that they differ. */
@AdminController('sync')
export class SyncTouchController {
  constructor(
    private readonly ledger: LedgerTouch,
    private readonly targets: GenerationTargets,
  ) {}

  @Post('touch')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'touchRows',
    summary: 'Have rows written to the index again',
    description:
      'Makes a page of rows pending, in the order of their ids, in the generation named or the serving one of the source; the relay writes them from cached vectors. Go on with next until it is null. A page that is asked for again is harmless. To find out what differs, reconcile instead.',
  })
  @ApiBody({ schema: {}, required: false, examples: TOUCH_EXAMPLES })
  @ApiAcceptedResponse({ description: 'They are pending', standardSchema: touchedSchema, example: TOUCHED_EXAMPLE })
  @ApiNotFoundResponse({ description: 'No such generation or source' })
  @ApiUnprocessableEntityResponse({ description: 'The generation is retired' })
  async touch(@Body({ schema: touchSchema.prefault({}) }) body: TouchRequest, @Query({ schema: noQuery }) _query: unknown) {
    const { id, source, state } = await this.targets.resolve(body);
    if (state === 'retired') throw new DomainError('generations.retired');
    const { touched, next } = await this.ledger.touch(id, body.after, body.limit);
    return { generation: id, source, touched, next };
  }
}
