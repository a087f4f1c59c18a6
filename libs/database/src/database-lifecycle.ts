import { Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { DomainError, FatalStartupError } from '#kernel';
import { connectDataSource } from './connect-data-source.js';
import { createDataSource, type EntityType } from './data-source.js';
import { classifyDatabaseError } from './database-errors.js';
import { EmbeddedPostgres } from './embedded/embedded-postgres.js';
import { runMigrations } from './migrate.js';
import { poolCountsOf, type PoolCounts } from './pool-counts.js';
import { assertServerVersion } from './server-version.js';

export interface DatabaseLifecycleOptions {
  /** `null` = the embedded server under `dataDir`. */
  readonly url: string | null;
  readonly dataDir: string;
  readonly entities: readonly EntityType[];
  /** How long `close` waits for statements that are under way. Default 5,000. */
  readonly closeTimeoutMs?: number;
}

interface Pools {
  readonly requests: DataSource;
  readonly relay: DataSource;
}

const REQUEST_POOL_SIZE = 10;
/** Claim, read, acknowledge, and one to spare. */
const RELAY_POOL_SIZE = 4;
/** A backstop behind the server's statement timeout of 30 s, for a server that has fallen silent. */
const QUERY_TIMEOUT_MS = 40_000;

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const LOG_INTERVAL_MS = 60_000;
const CLOSE_TIMEOUT_DEFAULT_MS = 5_000;

/** Brings the database up without holding up the application, and takes it down again at the end. */
export class DatabaseLifecycle implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Database');
  private readonly stopping = new AbortController();
  private embedded: EmbeddedPostgres | null = null;
  private pools: Pools | null = null;
  private serverUrl: string | null = null;
  private opening: Promise<void> | null = null;
  private lastLogMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: DatabaseLifecycleOptions) {}

  onModuleInit(): void {
    this.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.close();
  }

  /** Begins to connect; returns at once. Does nothing the second time. */
  start(): void {
    if (this.opening !== null) return;
    this.opening = this.open();
    // Whoever awaits `ready` gets the error; nobody has to.
    this.opening.catch(() => undefined);
  }

  /**
   * Resolves when the database is connected and migrated. An external server that cannot be reached is tried for ever; after `close` it stays pending.
   *
   * @throws FatalStartupError when a person must act
   */
  async ready(): Promise<void> {
    this.start();
    await this.opening;
    // Called off: there is neither a database nor an error to report.
    if (this.stopping.signal.aborted) await new Promise(() => undefined);
  }

  get isReady(): boolean {
    return this.pools !== null;
  }

  /** URL of the server, with its password. @throws DomainError `database.unavailable` before `ready` */
  get url(): string {
    if (this.pools === null || this.serverUrl === null) throw notReady();
    return this.serverUrl;
  }

  /** The pool of the requests; for schema tools. @throws DomainError `database.unavailable` before `ready` */
  get requests(): DataSource {
    if (this.pools === null) throw notReady();
    return this.pools.requests;
  }

  /** The pool of the sync engine. @throws DomainError `database.unavailable` before `ready` */
  get relay(): DataSource {
    if (this.pools === null) throw notReady();
    return this.pools.relay;
  }

  /** The connections of both pools; `null` before `ready`. */
  poolCounts(): { readonly requests: PoolCounts; readonly relay: PoolCounts } | null {
    return this.pools === null ? null : { requests: poolCountsOf(this.pools.requests), relay: poolCountsOf(this.pools.relay) };
  }

  /**
   * Asks the server for an answer, and gives the time it took, in milliseconds.
   *
   * It asks through the relay's pool: a queue of requests is not a server that is down.
   */
  async ping(): Promise<number> {
    const startedMs = performance.now();
    await this.relay.query('SELECT 1');
    return performance.now() - startedMs;
  }

  /** Closes the pools, then stops the embedded server. Idempotent. */
  async close(): Promise<void> {
    this.stopping.abort();
    // A start that is under way ends at its next step; stopping beside it would leave a server behind.
    await this.opening?.catch(() => undefined);
    const { pools } = this;
    this.pools = null;
    // A statement that never ends must not keep the process; the fast shutdown of the server ends it.
    if (pools !== null)
      await Promise.race([destroy(pools), delay(this.options.closeTimeoutMs ?? CLOSE_TIMEOUT_DEFAULT_MS, undefined, { ref: false })]);
    await this.embedded?.stop();
  }

  private async open(): Promise<void> {
    this.pools = await this.untilConnected(await this.findServer());
  }

  private async findServer(): Promise<string> {
    if (this.options.url !== null) return this.options.url;
    this.embedded = new EmbeddedPostgres({ dataDir: this.options.dataDir });
    try {
      return await this.embedded.start();
    } catch (error) {
      throw asFatal(error, 'The embedded database does not start');
    }
  }

  private async untilConnected(url: string): Promise<Pools | null> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      if (this.stopping.signal.aborted) return null;
      try {
        return await this.connect(url);
      } catch (error) {
        if (error instanceof FatalStartupError) throw error;
        this.logRetry(error);
      }
      // Spread out, so that replicas do not come back in step.
      await delay(pauseMs * (0.5 + Math.random()), undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  private async connect(wanted: string): Promise<Pools> {
    const url = await this.prepare(wanted);
    const onConnectionLost = (error: Error): void => {
      if (!this.stopping.signal.aborted) this.logger.warn(`A database connection was lost: ${error.message}`);
    };
    const pool = (applicationName: string, poolSize: number): DataSource =>
      createDataSource({
        url,
        applicationName,
        poolSize,
        onConnectionLost,
        entities: this.options.entities,
        queryTimeoutMs: QUERY_TIMEOUT_MS,
      });
    const requests = pool('kindred', REQUEST_POOL_SIZE);
    const relay = pool('kindred-relay', RELAY_POOL_SIZE);
    try {
      await Promise.all([requests.initialize(), relay.initialize()]);
    } catch (error) {
      await destroy({ requests, relay });
      throw error;
    }
    this.serverUrl = wanted;
    return { requests, relay };
  }

  /** Checks and migrates on a connection of its own, which no query timeout cuts short; gives the URL that works. */
  private async prepare(wanted: string): Promise<string> {
    const { source, url } = await connectDataSource({ url: wanted, applicationName: 'kindred-migrations', poolSize: 1 });
    try {
      await assertServerVersion(source);
      await this.migrate(source);
      return url;
    } finally {
      await source.destroy();
    }
  }

  private async migrate(source: DataSource): Promise<void> {
    try {
      const done = await runMigrations(source);
      if (done.length > 0) this.logger.log(`Migrated: ${done.join(', ')}`);
    } catch (error) {
      if (classifyDatabaseError(error) !== null) throw error;
      throw asFatal(error, 'The database cannot be migrated');
    }
  }

  private logRetry(error: unknown): void {
    const nowMs = performance.now();
    if (nowMs - this.lastLogMs < LOG_INTERVAL_MS) return;
    this.lastLogMs = nowMs;
    this.logger.warn(`The database cannot be used yet (${describe(error)}); trying again until it can`);
  }
}

async function destroy({ requests, relay }: Pools): Promise<void> {
  await Promise.all([requests, relay].map((source) => (source.isInitialized ? source.destroy() : Promise.resolve())));
}

function notReady(): DomainError {
  return new DomainError('database.unavailable', { detail: 'The database is not connected yet' });
}

function asFatal(error: unknown, what: string): FatalStartupError {
  return error instanceof FatalStartupError ? error : new FatalStartupError(`${what}: ${describe(error)}`, { cause: error });
}

/** The messages of the driver name hosts, users and databases, never passwords. */
function describe(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(describe).join('; ');
  return error instanceof Error ? error.message : String(error);
}
