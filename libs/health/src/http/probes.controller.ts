import { Public } from '#security';
import { Controller, Get, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { HealthMonitor } from '../health-monitor.js';
import { LIVE_SCHEMA, READY_SCHEMA } from './health.schemas.js';

/** What orchestrators ask, by the names of Kindred and by those of Kubernetes. No reply waits for anything, and none has details. */
@ApiTags('health')
@Public()
@Controller()
export class ProbesController {
  constructor(private readonly monitor: HealthMonitor) {}

  @Get(['health/live', 'livez'])
  @ApiOperation({
    operationId: 'getLiveness',
    summary: 'Liveness',
    description: 'The process answers. Touches no dependency: restarting Kindred does not heal PostgreSQL.',
  })
  @ApiResponse({ status: 200, description: 'alive', schema: LIVE_SCHEMA, example: { status: 'ok' } })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get(['health/ready', 'readyz'])
  @ApiOperation({
    operationId: 'getReadiness',
    summary: 'Readiness',
    description: 'Whether to send requests here: started, not draining, PostgreSQL reachable. An unreachable index keeps it ready.',
  })
  @ApiResponse({ status: 200, description: 'ready', schema: READY_SCHEMA, example: { status: 'ok', startup: 'ready' } })
  @ApiResponse({ status: 503, description: 'not ready', schema: READY_SCHEMA, example: { status: 'error', startup: 'migrating' } })
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const { isReady, startup, isDraining } = this.monitor.snapshot();
    await reply.status(isReady ? 200 : 503).send({ status: isReady ? 'ok' : isDraining ? 'shutting_down' : 'error', startup });
  }

  @Get(['health/startup', 'startupz'])
  @ApiOperation({
    operationId: 'getStartup',
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
}
