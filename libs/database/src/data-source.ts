import type { EventEmitter } from 'node:events';
import { DataSource, type EntitySchema } from 'typeorm';
import { withTlsSemantics } from './connection-url.js';
import { MIGRATIONS } from './migrations/index.js';
import { SilentTypeOrmLogger } from './silent-typeorm.logger.js';

/** A TypeORM entity class or schema. */
export type EntityType = (abstract new (...parameters: never[]) => object) | EntitySchema;

export interface DataSourceSettings {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly poolSize: number;
  readonly entities?: readonly EntityType[];
  /** Called for an idle connection that was lost; the pool has already dropped it. */
  readonly onConnectionLost?: (error: Error) => void;
  /** How long a caller waits for a connection. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** How long the client waits for the answer to a statement. Default: without limit. */
  readonly queryTimeoutMs?: number;
}

const CONNECT_TIMEOUT_DEFAULT_MS = 5_000;
const IDLE_TIMEOUT_MS = 30_000;
/** Stay open when idle: logging in costs some milliseconds of key derivation. */
const IDLE_CONNECTIONS = 2;
const KEEP_ALIVE_DELAY_MS = 10_000;

/** Describes one connection pool; `initialize()` connects it. Never synchronises a schema: migrations do. */
export function createDataSource(settings: DataSourceSettings): DataSource {
  return new DataSource({
    type: 'postgres',
    url: withTlsSemantics(settings.url),
    applicationName: settings.applicationName,
    poolSize: settings.poolSize,
    connectTimeoutMS: settings.connectTimeoutMs ?? CONNECT_TIMEOUT_DEFAULT_MS,
    // Always set: an error of an idle connection that nobody listens to would end the process.
    poolErrorHandler: (error: Error) => settings.onConnectionLost?.(error),
    entities: [...(settings.entities ?? [])] as never[],
    migrations: [...MIGRATIONS],
    migrationsTableName: 'migrations',
    synchronize: false,
    installExtensions: false,
    logging: false,
    logger: new SilentTypeOrmLogger(),
    extra: {
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
      min: Math.min(IDLE_CONNECTIONS, settings.poolSize),
      onConnect: (client: EventEmitter) => void client.on('error', ignoreLostConnection),
      ...(settings.queryTimeoutMs === undefined ? {} : { query_timeout: settings.queryTimeoutMs }),
    },
  });
}

/**
 * Between the pool, which stops listening when it lends a connection, and the query runner, which listens a microtask later, nobody hears that the server
 * has closed the connection, and an error that nobody hears ends the process. The next statement on it fails, so nothing is lost by this deaf ear.
 */
function ignoreLostConnection(): void {}
