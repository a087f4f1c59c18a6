import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService, type HealthCheckResult } from '@nestjs/terminus';
import type { EmbeddingServiceState } from '#embeddings';
import type { ProbeResult } from '../dependency-probe.js';
import type { HealthSnapshot } from '../health-monitor.js';

export type ServiceState = EmbeddingServiceState;

/** The body of `/health`: Terminus's keys and the map of services. */
export interface HealthReply extends HealthCheckResult {
  readonly services: Readonly<Record<'database' | 'vector_db' | 'openai_api', ServiceState>>;
}

/** Puts what is known into the shape of Terminus. */
@Injectable()
export class HealthReport {
  constructor(
    private readonly checks: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
  ) {}

  async read(snapshot: HealthSnapshot): Promise<HealthReply> {
    return { ...(await this.check(snapshot)), services: servicesOf(snapshot) };
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

function servicesOf({ database, vectorStore, embeddingService }: HealthSnapshot): HealthReply['services'] {
  return { database: stateOf(database), vector_db: stateOf(vectorStore), openai_api: embeddingService };
}

export function stateOf({ state }: ProbeResult): ServiceState {
  return state === 'up' ? 'healthy' : state === 'slow' ? 'degraded' : 'unhealthy';
}
