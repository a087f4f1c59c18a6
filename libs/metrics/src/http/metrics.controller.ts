import { noQuery } from '#rules';
import { RequiresScope } from '#security';
import { Controller, Get, Header, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { MetricsRegistry } from '../metrics-registry.js';

const EXAMPLE = `# HELP kindred_ledger_oldest_pending_age_seconds Age of the oldest change that has not reached the index; 0 = none is pending
# TYPE kindred_ledger_oldest_pending_age_seconds gauge
kindred_ledger_oldest_pending_age_seconds{source="projects",generation="serving"} 0.42
`;

/** What Prometheus reads, unless METRICS_PORT gives it a port of its own. */
@ApiTags('metrics')
@RequiresScope('admin:read')
@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: MetricsRegistry) {}

  @Get()
  @Header('cache-control', 'no-store')
  @ApiOperation({
    operationId: 'getMetrics',
    summary: 'Metrics for Prometheus',
    description:
      'All series of the process that answers, as text. What has to be asked for is at most ten seconds old, and absent when it cannot be had. With METRICS_PORT they are on that port instead, and this path is 404.',
  })
  @ApiResponse({
    status: 200,
    description: 'Text exposition format 0.0.4',
    content: { 'text/plain': { schema: { type: 'string' }, example: EXAMPLE } },
  })
  async read(@Query({ schema: noQuery }) _query: unknown, @Res() reply: FastifyReply): Promise<void> {
    const body = await this.metrics.render();
    await reply.header('content-type', this.metrics.contentType).send(body);
  }
}
