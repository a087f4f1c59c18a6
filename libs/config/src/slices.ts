import { isLoopbackAddress, isLoopbackHost, withoutTrailingSlashes, type LogLevel } from '#kernel';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { listOf, type ParsedEnvironment } from './environment.js';
import { parseLogSettings, type LogSettings } from './log-settings.js';

/** Where the service listens and how it presents itself. */
export class ServerConfig {
  readonly nodeEnv: 'development' | 'test' | 'production';
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** How long a stopping process goes on answering, not ready, so that load balancers can turn away from it. */
  readonly shutdownDelayMs: number;
  /** PUT, PATCH and DELETE without `If-Match` are refused with 428. */
  readonly isIfMatchRequired: boolean;

  constructor(env: ParsedEnvironment) {
    this.nodeEnv = env.NODE_ENV;
    this.host = env.HOST;
    this.port = env.PORT;
    this.shutdownDelayMs = env.SHUTDOWN_DELAY_MS;
    this.isIfMatchRequired = env.REQUIRE_IF_MATCH;
    Object.freeze(this);
  }
}

/** Where Prometheus reads. */
export class MetricsConfig {
  /** `null` = at the port of the service; 0 = any free one. */
  readonly port: number | null;

  constructor(env: ParsedEnvironment) {
    this.port = env.METRICS_PORT ?? null;
    Object.freeze(this);
  }
}

/** Where spans are sent. */
export class TracingConfig {
  /** Base address of an OpenTelemetry collector; `null` = no traces are made. */
  readonly endpoint: string | null;

  constructor(env: ParsedEnvironment) {
    this.endpoint = env.OTEL_EXPORTER_OTLP_ENDPOINT ?? null;
    Object.freeze(this);
  }
}

/** The folder that belongs to this process: embedded database, local index snapshots, run.json. */
export class DataConfig {
  /** Absolute path. */
  readonly dataDir: string;

  constructor(env: ParsedEnvironment) {
    this.dataDir = resolve(env.DATA_DIR);
    Object.freeze(this);
  }
}

export class LogConfig {
  /** Of every component that has none of its own. */
  readonly level: LogLevel;
  readonly levels: LogSettings['levels'];

  constructor(env: ParsedEnvironment) {
    const settings = parseLogSettings(env.LOG_LEVEL);
    if (typeof settings === 'string') throw new Error(`LOG_LEVEL ${settings}`);
    this.level = settings.level;
    this.levels = settings.levels;
    Object.freeze(this);
  }
}

export class DatabaseConfig {
  /** `null` = start the embedded PostgreSQL under the data directory. Names the CA file, so that every connection verifies alike. */
  readonly url: string | null;

  constructor(env: ParsedEnvironment) {
    this.url = env.DATABASE_URL === undefined ? null : withAuthority(env.DATABASE_URL, env.DATABASE_CA_FILE);
    Object.freeze(this);
  }
}

/** Who gives a CA wants the server verified, and says less only with `sslmode`. */
function withAuthority(databaseUrl: string, caFile: string | undefined): string {
  if (caFile === undefined) return databaseUrl;
  const url = new URL(databaseUrl);
  if (!url.searchParams.has('sslmode')) url.searchParams.set('sslmode', 'verify-full');
  url.searchParams.set('sslrootcert', resolve(caFile));
  return url.toString();
}

export class VectorStoreConfig {
  readonly kind: 'local' | 'qdrant';
  /** Set exactly when `kind` is `qdrant`. */
  readonly qdrantUrl: string | null;
  readonly qdrantApiKey: string | null;
  readonly collectionPrefix: string;
  /** Budget of one search, milliseconds. Writes have their own: {@link SyncConfig.writeTimeoutMs}. */
  readonly searchTimeoutMs: number;
  /** `local`: while a remote index is away, searches are answered by a copy in this process. Always `none` with the local store. */
  readonly fallback: 'local' | 'none';
  /** An index with more points has no copy. */
  readonly fallbackMaxPoints: number;

  constructor(env: ParsedEnvironment) {
    const qdrantUrl = env.QDRANT_URL ?? (env.QDRANT_HOST === undefined ? null : `http://${env.QDRANT_HOST}:${env.QDRANT_PORT}`);
    this.kind = env.VECTOR_STORE === 'auto' ? (qdrantUrl === null ? 'local' : 'qdrant') : env.VECTOR_STORE;
    this.qdrantUrl = this.kind === 'qdrant' ? qdrantUrl : null;
    this.qdrantApiKey = env.QDRANT_API_KEY ?? null;
    this.collectionPrefix = env.QDRANT_COLLECTION_PREFIX;
    this.searchTimeoutMs = env.QDRANT_TIMEOUT_MS;
    this.fallback = this.kind === 'local' ? 'none' : env.VECTOR_FALLBACK;
    this.fallbackMaxPoints = env.VECTOR_FALLBACK_MAX_POINTS;
    Object.freeze(this);
  }
}

/** Describes the embedder of NEW generations; an existing generation keeps the descriptor that is stored with it. */
export class EmbeddingConfig {
  readonly provider: 'local' | 'openai';
  /** Name of a model folder, path of one, or `owner/name` on the hub. */
  readonly model: string;
  readonly dtype: 'q8' | 'fp32' | 'fp16';
  /** Folder that holds model folders; `null` = the `models` folder that ships with Kindred, which is looked into in any case. */
  readonly modelDir: string | null;
  /** Folder for models from the hub; absolute. */
  readonly downloadDir: string;
  readonly hubUrl: string;
  /** Worker threads of a local model, each with one inference thread. */
  readonly workers: number;
  /** Of a local model. */
  readonly maxTokens: number;
  readonly queryPrefix: string;
  readonly documentPrefix: string;
  readonly openAi: OpenAiEmbeddingSettings;

  constructor(env: ParsedEnvironment) {
    this.provider = env.EMBEDDING_PROVIDER;
    this.model = env.EMBEDDING_MODEL;
    this.dtype = env.EMBEDDING_DTYPE;
    this.modelDir = env.EMBEDDING_MODEL_DIR === undefined ? null : resolve(env.EMBEDDING_MODEL_DIR);
    this.downloadDir = resolve(env.DATA_DIR, 'models');
    this.hubUrl = withoutTrailingSlashes(env.EMBEDDING_HUB_URL);
    this.workers = env.EMBEDDING_WORKERS ?? availableParallelism();
    this.maxTokens = env.EMBEDDING_MAX_TOKENS;
    this.queryPrefix = env.EMBEDDING_QUERY_PREFIX;
    this.documentPrefix = env.EMBEDDING_DOCUMENT_PREFIX;
    this.openAi = Object.freeze({
      baseUrl: withoutTrailingSlashes(env.OPENAI_BASE_URL),
      apiKey: env.OPENAI_API_KEY ?? null,
      model: env.OPENAI_EMBEDDING_MODEL,
      dimensions: env.OPENAI_EMBEDDING_DIMENSIONS ?? null,
      revision: env.OPENAI_EMBEDDING_REVISION ?? new URL(env.OPENAI_BASE_URL).host,
      maxTokens: env.OPENAI_EMBEDDING_MAX_TOKENS,
      batchSize: env.OPENAI_EMBEDDING_BATCH_SIZE,
      timeoutMs: env.OPENAI_EMBEDDING_TIMEOUT_MS,
      queryTimeoutMs: env.OPENAI_EMBEDDING_QUERY_TIMEOUT_MS,
    });
    Object.freeze(this);
  }
}

/** Of an embedder that asks a service which speaks OpenAI's API. */
export interface OpenAiEmbeddingSettings {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly model: string;
  /** `null` = those of the model, where they are known. */
  readonly dimensions: number | null;
  /** Tells services apart that have a model of this name; default: the host of the base URL. */
  readonly revision: string;
  readonly maxTokens: number;
  /** Texts of one request. */
  readonly batchSize: number;
  /** One try of a request with documents. */
  readonly timeoutMs: number;
  /** One query with all its tries. */
  readonly queryTimeoutMs: number;
}

/** The in-process store answers or is gone with the process, so its leases may be short; a remote one needs time to answer. */
const LEASE_DEFAULT_MS = { local: 6_000, qdrant: 30_000 } as const;
const WRITE_TIMEOUT_DEFAULT_MS = { local: 2_000, qdrant: 10_000 } as const;

export class SyncConfig {
  /** Whether the relay runs inside the api process. */
  readonly isInline: boolean;
  readonly leaseMs: number;
  /** Longest time one write to the index may take; well below the lease. */
  readonly writeTimeoutMs: number;
  /** How long a tombstone waits before it is checked again; above lease + write timeout. */
  readonly graceMs: number;
  readonly batchSize: number;
  readonly maxAttempts: number;

  constructor(env: ParsedEnvironment, storeKind: 'local' | 'qdrant') {
    this.isInline = env.SYNC_INLINE;
    this.leaseMs = env.SYNC_LEASE_MS ?? LEASE_DEFAULT_MS[storeKind];
    this.writeTimeoutMs = env.SYNC_WRITE_TIMEOUT_MS ?? WRITE_TIMEOUT_DEFAULT_MS[storeKind];
    this.graceMs = env.SYNC_GRACE_MS ?? this.leaseMs + 2 * this.writeTimeoutMs;
    this.batchSize = env.SYNC_BATCH_SIZE;
    this.maxAttempts = env.SYNC_MAX_ATTEMPTS;
    Object.freeze(this);
  }
}

/** When recurring work of the engine is due: cron expressions in UTC, `null` = never. */
export class ScheduleConfig {
  readonly quickCheck: string | null;
  readonly reconcile: string | null;
  readonly tombstonePurge: string | null;
  readonly cachePurge: string | null;
  readonly statistics: string | null;

  constructor(env: ParsedEnvironment) {
    const expression = (text: string): string | null => (text === 'off' ? null : text);
    this.quickCheck = expression(env.SCHEDULE_QUICK_CHECK);
    this.reconcile = expression(env.SCHEDULE_RECONCILE);
    this.tombstonePurge = expression(env.SCHEDULE_TOMBSTONE_PURGE);
    this.cachePurge = expression(env.SCHEDULE_CACHE_PURGE);
    this.statistics = expression(env.SCHEDULE_STATISTICS);
    Object.freeze(this);
  }
}

export class SearchConfig {
  /** Threshold of a search that names none; a cosine. */
  readonly defaultThreshold: number;

  constructor(env: ParsedEnvironment) {
    this.defaultThreshold = env.SIMILARITY_THRESHOLD;
    Object.freeze(this);
  }
}

/** What an uploaded file may be. */
export class IngestionConfig {
  readonly maxBytes: number;
  readonly maxRows: number;
  /** Of one line, or one record of a CSV file, which may have several lines. */
  readonly maxLineBytes: number;

  constructor(env: ParsedEnvironment) {
    this.maxBytes = env.IMPORT_MAX_BYTES;
    this.maxRows = env.IMPORT_MAX_ROWS;
    this.maxLineBytes = env.IMPORT_MAX_LINE_BYTES;
    Object.freeze(this);
  }
}

/** How questions are answered, and how long conversations are kept. */
export class AnswersConfig {
  /** The service that writes answers; `null` = none does, and answers are made of sentences of the documents. */
  readonly openAi: OpenAiGenerationSettings | null;
  /** Conversations without a message for so long are removed. */
  readonly historyDays: number;

  constructor(env: ParsedEnvironment) {
    this.openAi =
      env.OPENAI_GENERATION_MODEL === undefined
        ? null
        : Object.freeze({
            baseUrl: withoutTrailingSlashes(env.OPENAI_BASE_URL),
            apiKey: env.OPENAI_API_KEY ?? null,
            model: env.OPENAI_GENERATION_MODEL,
            maxTokens: env.OPENAI_MAX_TOKENS,
            timeoutMs: env.OPENAI_GENERATION_TIMEOUT_MS,
          });
    this.historyDays = env.CHAT_HISTORY_DAYS;
    Object.freeze(this);
  }
}

/** Of a service that speaks OpenAI's chat API. */
export interface OpenAiGenerationSettings {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly model: string;
  /** Of an answer. */
  readonly maxTokens: number;
  /** One answer with all tries. */
  readonly timeoutMs: number;
}

/** Who may come in, and how often. */
export class SecurityConfig {
  /** `required`: only with a key. `local`: without one on this machine. `open`: without one from anywhere. */
  readonly access: 'required' | 'local' | 'open';
  /** A key with every scope for as long as it is configured. */
  readonly bootstrapKey: string | null;
  /** `null` = one is kept in the data directory. */
  readonly pepper: string | null;
  /** Peers whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** Origins whose pages may call the API; empty = none but its own. */
  readonly corsOrigins: readonly string[];
  /** Of a key that has no limit of its own; 0 = none. */
  readonly rateLimitPerMinute: number;
  /** Of all requests of one address together; 0 = none. */
  readonly addressRateLimitPerMinute: number;
  /** A search that would wait longer for the model is turned away; 0 = none is. */
  readonly overloadWaitMs: number;

  constructor(env: ParsedEnvironment) {
    const isPrivate = env.NODE_ENV !== 'production' && (isLoopbackHost(env.HOST) || isLoopbackAddress(env.HOST));
    this.access = env.AUTH === 'off' ? 'open' : env.AUTH === 'auto' && isPrivate ? 'local' : 'required';
    this.bootstrapKey = env.KINDRED_BOOTSTRAP_KEY ?? null;
    this.pepper = env.API_KEY_PEPPER ?? null;
    this.trustedProxies = Object.freeze(env.TRUSTED_PROXIES === undefined ? [] : listOf(env.TRUSTED_PROXIES));
    this.corsOrigins = Object.freeze(env.CORS_ORIGINS ?? []);
    this.rateLimitPerMinute = env.RATE_LIMIT_PER_MINUTE;
    this.addressRateLimitPerMinute = env.RATE_LIMIT_ADDRESS_PER_MINUTE;
    this.overloadWaitMs = env.OVERLOAD_WAIT_MS;
    Object.freeze(this);
  }
}
