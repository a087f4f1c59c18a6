import { HealthModule } from '#health';
import { IngestionModule } from '#ingestion';
import { Module } from '@nestjs/common';
import { MetricsRegistry } from './metrics-registry.js';
import { MetricsServer } from './metrics-server.js';
import { Readings } from './readings.js';
import { CertificateMetrics } from './sources/certificate.metrics.js';
import { DatabaseMetrics } from './sources/database.metrics.js';
import { EmbeddingMetrics } from './sources/embedding.metrics.js';
import { IndexMetrics } from './sources/index.metrics.js';
import { JobMetrics } from './sources/job.metrics.js';
import { LedgerMetrics } from './sources/ledger.metrics.js';
import { ProcessMetrics } from './sources/process.metrics.js';
import { RelayMetrics } from './sources/relay.metrics.js';

/** The series that every process has, and METRICS_PORT. Needs the (global) configuration, database, runtime and sync modules beside it. */
@Module({
  imports: [HealthModule, IngestionModule],
  providers: [
    MetricsRegistry,
    Readings,
    LedgerMetrics,
    RelayMetrics,
    IndexMetrics,
    EmbeddingMetrics,
    CertificateMetrics,
    DatabaseMetrics,
    JobMetrics,
    ProcessMetrics,
    MetricsServer,
  ],
  exports: [MetricsRegistry],
})
export class MetricsModule {}
