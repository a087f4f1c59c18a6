import { SystemClock } from '#kernel';
import { HttpMetrics } from '../src/http/http.metrics.js';
import { MetricsRegistry } from '../src/metrics-registry.js';
import { Readings } from '../src/readings.js';
import { AnswerMetrics } from '../src/sources/answer.metrics.js';
import { LoadMetrics } from '../src/sources/load.metrics.js';
import { CertificateMetrics } from '../src/sources/certificate.metrics.js';
import { DatabaseMetrics } from '../src/sources/database.metrics.js';
import { EmbeddingMetrics } from '../src/sources/embedding.metrics.js';
import { IndexMetrics } from '../src/sources/index.metrics.js';
import { JobMetrics } from '../src/sources/job.metrics.js';
import { LedgerMetrics } from '../src/sources/ledger.metrics.js';
import { ProcessMetrics } from '../src/sources/process.metrics.js';
import { RelayMetrics } from '../src/sources/relay.metrics.js';
import { SearchMetrics } from '../src/sources/search.metrics.js';

/** Nobody is asked before somebody scrapes, so nobody has to be there. */
const nobody = {} as never;

/** Every series that a process may publish. */
export function catalogOfAll(): ReturnType<MetricsRegistry['catalog']> {
  const metrics = new MetricsRegistry();
  const readings = new Readings(metrics, new SystemClock());
  new HttpMetrics(metrics);
  new SearchMetrics(metrics, nobody);
  new AnswerMetrics(metrics, nobody, nobody);
  new LoadMetrics(metrics, nobody);
  new LedgerMetrics(metrics, readings, nobody);
  new RelayMetrics(metrics, nobody, nobody);
  new IndexMetrics(metrics, nobody, nobody, nobody);
  new EmbeddingMetrics(metrics, nobody);
  new CertificateMetrics(metrics, readings, nobody, nobody, nobody, nobody);
  new DatabaseMetrics(metrics, readings, nobody, nobody, nobody);
  new JobMetrics(metrics, readings, nobody);
  new ProcessMetrics(metrics, readings, nobody, nobody);
  return metrics.catalog();
}
