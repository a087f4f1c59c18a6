import { Logger } from '@nestjs/common';
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { FatalStartupError } from '#kernel';
import { assertReadable, assertVacant, createCluster, DATABASE_NAME, readPassword, ROLE_NAME, takeOwnership } from './cluster.js';
import { findFreePort } from './free-port.js';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.js';
import { holds, readPostmasterFile, stopLeftover, stopServer } from './postmaster.js';
import { CHILD_ENVIRONMENT, chooseIdentity, commandAs, type RunAs } from './run-as.js';

export interface EmbeddedPostgresOptions {
  /** The data directory of the service; the cluster is `<dataDir>/postgres`, its log `<dataDir>/postgres.log`. Made when absent. */
  readonly dataDir: string;
  /** Server settings that replace the defaults, for example `{ fsync: 'off' }` in tests. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether a server that ends unasked is started again. Default true. */
  readonly isSupervised?: boolean;
  /** npm package with the binaries. Default: the one of this platform. */
  readonly packageName?: string;
}

/** For one small service: 14 pooled connections, some for people, few background processes. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  // TCP only: the path of a socket may hold about 100 bytes, which a data directory can exceed.
  unix_socket_directories: '',
  max_connections: '50',
  shared_buffers: '128MB',
  // Nobody replicates from an embedded server; the minimal log is smaller.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  max_wal_size: '512MB',
  checkpoint_timeout: '15min',
  // Small indexed queries only: compiling them, or spreading them over processes, costs more than it saves.
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  io_method: 'sync',
  // An abandoned transaction must not hold locks, nor keep vacuum from the ledger.
  idle_in_transaction_session_timeout: '60s',
  // Statements of a killed process are ended too.
  client_connection_check_interval: '5s',
  log_min_messages: 'warning',
  log_line_prefix: '%m [%p] ',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

const HOST = '127.0.0.1';
const LOG_FILE = 'postgres.log';
/** invalid_catalog_name */
const UNKNOWN_DATABASE = '3D000';
const START_ATTEMPTS = 5;
const READY_TIMEOUT_MS = 60_000;
const LOG_LIMIT_BYTES = 10_000_000;
const RESTART_DELAY_MS = 1_000;

/**
 * A PostgreSQL server of its own for a service that was given none.
 *
 * The server runs detached, in its own process group, so that a signal to the service's group does not stop the database in the middle of a drain.
 * It listens on 127.0.0.1 on a free port, with a random password that is kept, readable by its owner only, in the data directory.
 * Two processes must not use one data directory: hold the `DataDirLock` first.
 */
export class EmbeddedPostgres {
  private readonly logger = new Logger('EmbeddedPostgres');
  private readonly dataDir: string;
  private readonly cluster: string;
  private server: ChildProcess | null = null;
  private isStopping = false;
  private port = 0;

  constructor(private readonly options: EmbeddedPostgresOptions) {
    this.dataDir = resolve(options.dataDir);
    this.cluster = join(this.dataDir, 'postgres');
  }

  /**
   * Creates the cluster on first use, takes over what a killed process left behind, starts the server, and resolves with its URL when it answers.
   *
   * @throws FatalStartupError when a person must act: no binaries, root without a way out, data of another major version, a damaged data directory
   */
  async start(): Promise<string> {
    this.isStopping = false;
    const binaries = findPostgresBinaries(this.options.packageName);
    mkdirSync(this.dataDir, { recursive: true });
    const exists = existsSync(join(this.cluster, 'PG_VERSION'));
    const runAs = chooseIdentity(binaries.postgres, this.dataDir, exists ? this.cluster : null);
    if (exists) {
      assertReadable(binaries, this.cluster);
      const leftover = await stopLeftover(this.cluster);
      if (leftover === 'stopped') this.logger.warn('Stopped the database server that an earlier process had left running');
      takeOwnership(this.cluster, runAs);
    } else {
      assertVacant(this.cluster);
      await createCluster({ binaries, runAs, cluster: this.cluster, isDurable: this.options.settings?.fsync !== 'off' });
    }
    const password = readPassword(this.cluster);
    await this.launch(binaries, runAs);
    await this.ensureDatabase(password);
    return this.url(password, DATABASE_NAME);
  }

  /** Fast shutdown, awaited. Does nothing when the server is not running. */
  async stop(): Promise<void> {
    this.isStopping = true;
    const pid = this.server?.pid;
    this.server = null;
    if (pid !== undefined) await stopServer(pid, this.cluster);
  }

  private async launch(binaries: PostgresBinaries, runAs: RunAs): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      this.port = await findFreePort(HOST);
      const failure = await this.launchOn(this.port, binaries, runAs);
      if (failure === null) return;
      // Another program took the port first, or the shared memory of a killed server is still held by its last sessions.
      const isTransient = /could not (create any TCP\/IP sockets|bind)|shared memory block/.test(failure);
      if (!isTransient || attempt === START_ATTEMPTS) {
        throw new FatalStartupError(
          `The embedded database does not start; ${join(this.dataDir, LOG_FILE)} has the whole story. It ends with:\n${failure}`,
        );
      }
      await delay(RESTART_DELAY_MS);
    }
  }

  /** Starts the server and waits until it accepts connections; resolves with what it said when it ended instead. */
  private async launchOn(port: number, binaries: PostgresBinaries, runAs: RunAs): Promise<string | null> {
    const log = join(this.dataDir, LOG_FILE);
    if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMIT_BYTES) truncateSync(log);
    const logStart = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
    const settings = { ...SETTINGS, ...this.options.settings, port: String(port) };
    const command = commandAs(runAs, binaries.postgres, [
      '-D',
      this.cluster,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ]);
    const output = openSync(log, 'a', 0o600);
    // Detached and with files instead of pipes: the server must outlive a killed process long enough to be taken over in order.
    const server = spawn(command.file, command.args, {
      cwd: this.dataDir,
      env: CHILD_ENVIRONMENT,
      uid: command.uid,
      gid: command.gid,
      detached: true,
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    server.unref();
    let isEnded = false;
    server.once('error', () => (isEnded = true));
    server.once('exit', () => (isEnded = true));
    const isReady = (): boolean => {
      const file = readPostmasterFile(this.cluster);
      return file !== null && file.pid === server.pid && file.status === 'ready';
    };
    const isDecided = await holds(() => isEnded || isReady(), READY_TIMEOUT_MS);
    if (isDecided && !isEnded) {
      this.server = server;
      server.once('exit', () => this.onExit(server, binaries, runAs));
      return null;
    }
    if (!isDecided && server.pid !== undefined) await stopServer(server.pid, this.cluster);
    return readFileSync(log, 'utf8').slice(logStart).trim().slice(-1_000);
  }

  /** The server ended although nobody asked it to (killed for memory, by hand): starts it again on the same port, for as long as it takes. */
  private onExit(server: ChildProcess, binaries: PostgresBinaries, runAs: RunAs): void {
    if (this.isStopping || this.server !== server || this.options.isSupervised === false) return;
    this.server = null;
    this.logger.error('The embedded database server has ended; starting it again');
    void this.restart(binaries, runAs);
  }

  private async restart(binaries: PostgresBinaries, runAs: RunAs): Promise<void> {
    while (!this.isStopping) {
      await delay(RESTART_DELAY_MS, undefined, { ref: false });
      if (this.isStopping) return;
      try {
        await stopLeftover(this.cluster);
        const failure = await this.launchOn(this.port, binaries, runAs);
        if (failure === null) return;
        this.logger.error(`The embedded database does not start again: ${failure}`);
      } catch (error) {
        this.logger.error(`The embedded database does not start again: ${String(error)}`);
      }
    }
  }

  private async ensureDatabase(password: string): Promise<void> {
    try {
      await this.execute(password, DATABASE_NAME, 'SELECT 1');
    } catch (error) {
      if ((error as { code?: string }).code !== UNKNOWN_DATABASE) throw error;
      await this.execute(password, 'postgres', `CREATE DATABASE ${DATABASE_NAME}`);
    }
  }

  private async execute(password: string, database: string, sql: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.url(password, database) });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  }

  private url(password: string, database: string): string {
    return `postgresql://${ROLE_NAME}:${password}@${HOST}:${this.port}/${database}`;
  }
}
