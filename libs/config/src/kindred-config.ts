import { ErasureConfig } from './erasure-config.js';
import { inspectEnvironment, InvalidEnvironmentError, type Environment, type EnvironmentProblem } from './environment.js';
import {
  AnswersConfig,
  DatabaseConfig,
  DataConfig,
  EmbeddingConfig,
  IngestionConfig,
  LogConfig,
  MetricsConfig,
  ScheduleConfig,
  SearchConfig,
  SecurityConfig,
  ServerConfig,
  SyncConfig,
  TracingConfig,
  VectorStoreConfig,
} from './slices.js';

/** The whole configuration, one frozen slice per concern. */
export interface KindredConfig {
  readonly server: ServerConfig;
  readonly data: DataConfig;
  readonly erasure: ErasureConfig;
  readonly log: LogConfig;
  readonly metrics: MetricsConfig;
  readonly tracing: TracingConfig;
  readonly database: DatabaseConfig;
  readonly vectorStore: VectorStoreConfig;
  readonly embedding: EmbeddingConfig;
  readonly sync: SyncConfig;
  readonly search: SearchConfig;
  readonly schedules: ScheduleConfig;
  readonly ingestion: IngestionConfig;
  readonly answers: AnswersConfig;
  readonly security: SecurityConfig;
}

/** A write must be able to time out, and be followed by a renewal, before its lease ends (protocol, assumption A). */
const LEASE_PER_WRITE_TIMEOUT = 2;

/** The timings can be judged only when all of these are sound: the store decides their defaults. */
const DECIDE_TIMINGS = ['SYNC_LEASE_MS', 'SYNC_WRITE_TIMEOUT_MS', 'SYNC_GRACE_MS', 'VECTOR_STORE', 'QDRANT_URL'];

/**
 * Reads the configuration once.
 *
 * @param environment default: the environment of the process; nobody else in Kindred reads that
 * @throws InvalidEnvironmentError naming every bad variable, never a value
 */
export function loadConfig(environment: Environment = process.env): KindredConfig {
  const { sound: env, problems } = inspectEnvironment(environment);
  const vectorStore = new VectorStoreConfig(env);
  const sync = new SyncConfig(env, vectorStore.kind);
  const named = new Set(problems.map(({ variable }) => variable));
  if (!DECIDE_TIMINGS.some((variable) => named.has(variable))) problems.push(...findBadTimings(sync));
  if (problems.length > 0) throw new InvalidEnvironmentError(problems);
  return Object.freeze({
    server: new ServerConfig(env),
    data: new DataConfig(env),
    erasure: new ErasureConfig(env),
    log: new LogConfig(env),
    metrics: new MetricsConfig(env),
    tracing: new TracingConfig(env),
    database: new DatabaseConfig(env),
    vectorStore,
    embedding: new EmbeddingConfig(env),
    sync,
    search: new SearchConfig(env),
    schedules: new ScheduleConfig(env),
    ingestion: new IngestionConfig(env),
    answers: new AnswersConfig(env),
    security: new SecurityConfig(env),
  });
}

function findBadTimings(sync: SyncConfig): EnvironmentProblem[] {
  const problems: EnvironmentProblem[] = [];
  if (sync.leaseMs < LEASE_PER_WRITE_TIMEOUT * sync.writeTimeoutMs) {
    problems.push({ variable: 'SYNC_LEASE_MS', rule: `must be at least ${LEASE_PER_WRITE_TIMEOUT} x SYNC_WRITE_TIMEOUT_MS` });
  }
  if (sync.graceMs <= sync.leaseMs + sync.writeTimeoutMs) {
    problems.push({ variable: 'SYNC_GRACE_MS', rule: 'must be above SYNC_LEASE_MS + SYNC_WRITE_TIMEOUT_MS' });
  }
  return problems;
}
