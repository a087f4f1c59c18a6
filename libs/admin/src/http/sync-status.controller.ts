import { noQuery } from '#rules';
import { SyncStatistics } from '#sync';
import { SearchStore } from '#vector-store';
import { Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { AdminController } from './admin-route.js';
import { SYNC_STATUS_EXAMPLE } from './admin.examples.js';
import { syncStatusSchema, type SyncStatusReply } from './sync-status.schemas.js';
import { syncStatusReplyOf } from './sync-status.view.js';

/** How far the index is. */
@AdminController('sync')
export class SyncStatusController {
  constructor(
    private readonly statistics: SyncStatistics,
    private readonly searches: SearchStore,
  ) {}

  @Get('status')
  @ApiOperation({
    operationId: 'getSyncStatus',
    summary: 'How far the index is',
    description:
      'The ledger by generation: entries by state, the oldest pending change, what has died and why; and the relay and the searches of the process that answers.',
  })
  @ApiOkResponse({ description: 'As it is now', standardSchema: syncStatusSchema, example: SYNC_STATUS_EXAMPLE })
  async status(@Query({ schema: noQuery }) _query: unknown): Promise<SyncStatusReply> {
    return syncStatusReplyOf(await this.statistics.read(), this.searches);
  }
}
