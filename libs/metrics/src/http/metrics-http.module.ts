import { AnswersModule } from '#answers';
import type { MetricsConfig } from '#config';
import { SearchModule } from '#search';
import { Module, type DynamicModule } from '@nestjs/common';
import { MetricsModule } from '../metrics.module.js';
import { AnswerMetrics } from '../sources/answer.metrics.js';
import { LoadMetrics } from '../sources/load.metrics.js';
import { SearchMetrics } from '../sources/search.metrics.js';
import { HttpMetrics } from './http.metrics.js';
import { MetricsController } from './metrics.controller.js';

/** The series of a process that answers requests. Without a port of their own they are at `/metrics` of the api. */
@Module({})
export class MetricsHttpModule {
  static forRoot({ port }: Pick<MetricsConfig, 'port'>): DynamicModule {
    return {
      module: MetricsHttpModule,
      imports: [MetricsModule, SearchModule, AnswersModule],
      providers: [HttpMetrics, SearchMetrics, AnswerMetrics, LoadMetrics],
      controllers: port === null ? [MetricsController] : [],
      exports: [HttpMetrics],
    };
  }
}
