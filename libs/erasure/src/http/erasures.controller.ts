import { noQuery, uuidText } from '#rules';
import { RequiresScope } from '#security';
import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiNotFoundResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Erasures } from '../erasures.js';
import { ERASURE_EXAMPLE } from './erasure.examples.js';
import { erasureReplyOf, erasureSchema, type ErasureReply } from './erasure.schemas.js';

/** Receipts of erasures. */
@ApiTags('erasures')
@RequiresScope('read', 'write')
@Controller('api/v1/erasures')
export class ErasuresController {
  constructor(private readonly erasures: Erasures) {}

  @Get(':id')
  @ApiOperation({
    operationId: 'getErasure',
    summary: 'The receipt of an erasure',
    description:
      'Where the row is proven to be gone, each place with its time, and the backups that may still hold it. Begun by DELETE of a project or document with receipt=true; proven some time after the grace of the index, SYNC_GRACE_MS.',
  })
  @ApiOkResponse({ description: 'As it is now', standardSchema: erasureSchema, example: ERASURE_EXAMPLE })
  @ApiNotFoundResponse({ description: 'No such erasure' })
  async get(@Param('id', { schema: uuidText }) id: string, @Query({ schema: noQuery }) _query: unknown): Promise<ErasureReply> {
    return erasureReplyOf(await this.erasures.get(id));
  }
}
