import { Controller, Get, Res, ServiceUnavailableException } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { HealthCheckService, HealthIndicatorService, type HealthCheckResult } from '@nestjs/terminus';
import type { FastifyReply } from 'fastify';
import type { EmbeddingServiceState } from '#embeddings';
import { HealthMonitor, type HealthSnapshot } from '../health-monitor.js';
import type { ProbeResult } from '../dependency-probe.js';
import { HEALTH_DOWN_EXAMPLE, HEALTH_EXAMPLE, HEALTH_SCHEMA, LIVE_SCHEMA, READY_SCHEMA } from './health.schemas.js';

type ServiceState = EmbeddingServiceState;

/** Health for orchestrators and people. No reply waits for a dependency, and each keeps its own body, also with 503. */
@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly monitor: HealthMonitor,
    private readonly checks: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Overall health',
    description:
      'The state of every dependency as of the last background look (every 2 s). An index that is down is `degraded` with 200; PostgreSQL down is `error` with 503.',
  })
  @ApiResponse({ status: 200, description: 'ok or degraded', schema: HEALTH_SCHEMA, example: HEALTH_EXAMPLE })
  @ApiResponse({ status: 503, description: 'error or shutting_down', schema: HEALTH_SCHEMA, example: HEALTH_DOWN_EXAMPLE })
  async health(@Res() reply: FastifyReply): Promise<void> {
    const snapshot = this.monitor.snapshot();
    const result = await this.check(snapshot);
    const isServing = result.status === 'ok' || result.status === 'degraded';
    await reply.status(isServing ? 200 : 503).send({ ...result, services: servicesOf(snapshot) });
  }

  @Get('live')
  @ApiOperation({
    summary: 'Liveness',
    description: 'The process answers. Touches no dependency: restarting Kindred does not heal PostgreSQL.',
  })
  @ApiResponse({ status: 200, description: 'alive', schema: LIVE_SCHEMA, example: { status: 'ok' } })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({
    summary: 'Readiness',
    description: 'Whether to send requests here: started, not draining, PostgreSQL reachable. An unreachable index keeps it ready.',
  })
  @ApiResponse({ status: 200, description: 'ready', schema: READY_SCHEMA, example: { status: 'ok', startup: 'ready' } })
  @ApiResponse({ status: 503, description: 'not ready', schema: READY_SCHEMA, example: { status: 'error', startup: 'migrating' } })
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const { isReady, startup, isDraining } = this.monitor.snapshot();
    await reply.status(isReady ? 200 : 503).send({ status: isReady ? 'ok' : isDraining ? 'shutting_down' : 'error', startup });
  }

  @Get('startup')
  @ApiOperation({
    summary: 'Startup',
    description: '200 once migrations are done, the model is loaded and the local index is compared with the ledger; it stays 200.',
  })
  @ApiResponse({ status: 200, description: 'started', schema: READY_SCHEMA, example: { status: 'ok', startup: 'ready' } })
  @ApiResponse({ status: 503, description: 'still starting', schema: READY_SCHEMA, example: { status: 'error', startup: 'loading-model' } })
  async startup(@Res() reply: FastifyReply): Promise<void> {
    const { startup } = this.monitor.snapshot();
    const hasStarted = this.monitor.hasStarted();
    await reply.status(hasStarted ? 200 : 503).send({ status: hasStarted ? 'ok' : 'error', startup });
  }

  private async check({ database, vectorStore }: HealthSnapshot): Promise<HealthCheckResult> {
    try {
      return await this.checks.check([
        () => {
          const indicator = this.indicators.check('database');
          if (database.state === 'up') return indicator.up(detailOf(database));
          return database.state === 'slow' ? indicator.degraded(detailOf(database)) : indicator.down(detailOf(database));
        },
        () => {
          const indicator = this.indicators.check('vector_db');
          const { fallback } = vectorStore;
          const detail = { ...detailOf(vectorStore), store_type: vectorStore.source, ...(fallback === null ? {} : { fallback }) };
          return vectorStore.state === 'up' ? indicator.up(detail) : indicator.degraded(detail);
        },
      ]);
    } catch (error) {
      // Terminus throws its result when a part is down; the contract wants it as the body.
      if (error instanceof ServiceUnavailableException) return error.getResponse() as HealthCheckResult;
      throw error;
    }
  }
}

function detailOf(probe: ProbeResult) {
  return {
    response_time_ms: probe.responseTimeMs === null ? null : Math.round(probe.responseTimeMs * 10) / 10,
    checked_at: probe.checkedAt?.toISOString() ?? null,
    ...(probe.reason === null ? {} : { reason: probe.reason }),
  };
}

function servicesOf({
  database,
  vectorStore,
  embeddingService,
}: HealthSnapshot): Record<'database' | 'vector_db' | 'openai_api', ServiceState> {
  return { database: stateOf(database), vector_db: stateOf(vectorStore), openai_api: embeddingService };
}

function stateOf({ state }: ProbeResult): ServiceState {
  return state === 'up' ? 'healthy' : state === 'slow' ? 'degraded' : 'unhealthy';
}
