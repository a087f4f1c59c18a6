import { Public } from '#security';
import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HealthMonitor } from '../health-monitor.js';
import { HealthDetails } from './health-detail.js';
import { HealthReport } from './health-report.js';
import { diagnosticsReplyOf, detailedReplyOf, serviceStatusReplyOf, vectorStoreReplyOf } from './health.view.js';
import {
  DETAILED_DOWN_EXAMPLE,
  DETAILED_EXAMPLE,
  DETAILED_SCHEMA,
  DIAGNOSTICS_EXAMPLE,
  DIAGNOSTICS_SCHEMA,
  HEALTH_DOWN_EXAMPLE,
  HEALTH_EXAMPLE,
  HEALTH_SCHEMA,
  SERVICE_STATUS_EXAMPLE,
  SERVICE_STATUS_SCHEMA,
  VECTOR_STORE_DOWN_EXAMPLE,
  VECTOR_STORE_EXAMPLE,
  VECTOR_STORE_SCHEMA,
} from './health.schemas.js';

/** Health for people, dashboards and alerts. No reply waits for a dependency, and each keeps its own body, also with 503. */
@ApiTags('health')
@Public()
@Controller()
export class HealthController {
  constructor(
    private readonly monitor: HealthMonitor,
    private readonly report: HealthReport,
    private readonly details: HealthDetails,
  ) {}

  @Get('health')
  @ApiOperation({
    operationId: 'getHealth',
    summary: 'Overall health',
    description:
      'The state of every dependency as of the last background look (every 2 s). An index that is down is `degraded` with 200; PostgreSQL down is `error` with 503.',
  })
  @ApiResponse({ status: 200, description: 'ok or degraded', schema: HEALTH_SCHEMA, example: HEALTH_EXAMPLE })
  @ApiResponse({ status: 503, description: 'error or shutting_down', schema: HEALTH_SCHEMA, example: HEALTH_DOWN_EXAMPLE })
  async health(@Res() reply: FastifyReply): Promise<void> {
    const body = await this.report.read(this.monitor.snapshot());
    await reply.status(codeOf(body.status)).send(body);
  }

  @Get('health/detailed')
  @ApiOperation({
    operationId: 'getDetailedHealth',
    summary: 'Health with everything that is known',
    description:
      'As /health, and the relay, the event loop and the index. A relay that gets on with nothing for a minute, or an event loop that stood still for a second, makes it `degraded`. Versions are shown to a key with `admin:read`.',
  })
  @ApiResponse({ status: 200, description: 'ok or degraded', schema: DETAILED_SCHEMA, example: DETAILED_EXAMPLE })
  @ApiResponse({ status: 503, description: 'error or shutting_down', schema: DETAILED_SCHEMA, example: DETAILED_DOWN_EXAMPLE })
  async detailed(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const snapshot = this.monitor.snapshot();
    const body = detailedReplyOf(snapshot, await this.report.read(snapshot), this.details.for(request));
    await reply.status(codeOf(body.status)).send(body);
  }

  @Get(['health/vector-store', 'health/qdrant'])
  @ApiOperation({
    operationId: 'getVectorStoreHealth',
    summary: 'Health of the vector index',
    description:
      'Of Qdrant, or of the index in the process, with the collections that searches use. Host and port are shown to a key with `admin:read`.',
  })
  @ApiResponse({ status: 200, description: 'healthy or degraded (slow)', schema: VECTOR_STORE_SCHEMA, example: VECTOR_STORE_EXAMPLE })
  @ApiResponse({ status: 503, description: 'unhealthy', schema: VECTOR_STORE_SCHEMA, example: VECTOR_STORE_DOWN_EXAMPLE })
  async vectorStore(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const body = vectorStoreReplyOf(this.monitor.snapshot(), this.details.for(request));
    await reply.status(body.status === 'unhealthy' ? 503 : 200).send(body);
  }

  @Get('api/status')
  @ApiOperation({
    operationId: 'getServiceStatus',
    summary: 'Whether the index can be searched',
    description: 'For pages that show a notice while it cannot.',
  })
  @ApiResponse({ status: 200, description: 'As of the last look', schema: SERVICE_STATUS_SCHEMA, example: SERVICE_STATUS_EXAMPLE })
  status(): ReturnType<typeof serviceStatusReplyOf> {
    return serviceStatusReplyOf(this.monitor.snapshot());
  }

  @Get('diagnostics')
  @ApiOperation({
    operationId: 'getDiagnostics',
    summary: 'Which services are connected',
    description:
      'PostgreSQL, the vector index, and the service that embeds where there is one. Their addresses are shown to a key with `admin:read`.',
  })
  @ApiResponse({ status: 200, description: 'As of the last look', schema: DIAGNOSTICS_SCHEMA, example: DIAGNOSTICS_EXAMPLE })
  diagnostics(@Req() request: FastifyRequest): ReturnType<typeof diagnosticsReplyOf> {
    return diagnosticsReplyOf(this.monitor.snapshot(), this.details.for(request));
  }
}

function codeOf(status: string): 200 | 503 {
  return status === 'ok' || status === 'degraded' ? 200 : 503;
}
