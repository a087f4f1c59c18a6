import {
  createTestDatabase,
  FakeEmbedderRegistry,
  IndexChecker,
  NO_SCHEDULES,
  type ProcessPreload,
  QdrantDouble,
  realQdrantUrl,
  RevWatch,
  type RowWorkload,
  ServerProcess,
  TcpProxy,
  waitFor,
} from '#testing';
import { createDataSource, TypeOrmUnitOfWork } from '#database';
import { ProjectIndexSource, ProjectRepository } from '#projects';
import { QdrantVectorStore } from '#vector-store';
import type { StageDatabase } from './own-database.js';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Short, so that what a dead process held is free again soon; the smallest that the configuration takes. */
export const STAGE_LEASE_MS = 1_000;
const WRITE_TIMEOUT_MS = 400;
const GRACE_MS = 1_600;
const CHECK_TIMEOUT_MS = 30_000;
const CLIENT_POOL_SIZE = 4;

export interface FaultStageOptions {
  /** Environment of every process, over the defaults. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Default: one of its own on the server of the run. */
  readonly database?: StageDatabase;
  /** Whether the processes have the real model instead of the fake one. Default false. */
  readonly hasModel?: boolean;
}

/**
 * A database of its own, an index, a proxy before each, and real processes of Kindred that use them through the proxies.
 *
 * The index is the double of Qdrant in this process, or a real server when TEST_QDRANT_URL names one. The checker goes past the proxies.
 */
export class FaultStage {
  readonly processes: ServerProcess[] = [];
  readonly checker: IndexChecker;
  private readonly dataDirs: string[] = [];

  private constructor(
    readonly database: StageDatabase,
    /** `null` when a real server is used. */
    readonly double: QdrantDouble | null,
    readonly databaseProxy: TcpProxy,
    readonly indexProxy: TcpProxy,
    /** Of the checker: straight to the index. */
    readonly store: QdrantVectorStore,
    /** Straight to the index. */
    readonly indexUrl: string,
    private readonly options: FaultStageOptions,
    private readonly environment: Readonly<Record<string, string>>,
  ) {
    this.checker = new IndexChecker({
      session: database.unitOfWork,
      store,
      source: new ProjectIndexSource(new ProjectRepository(database.unitOfWork)),
      ...(options.hasModel === true ? {} : { embedders: new FakeEmbedderRegistry() }),
    });
  }

  static async set(options: FaultStageOptions = {}): Promise<FaultStage> {
    const database = options.database ?? (await createTestDatabase());
    const double = realQdrantUrl === null ? new QdrantDouble() : null;
    const indexUrl = realQdrantUrl ?? (await double!.start());
    const [databaseProxy, indexProxy] = [await TcpProxy.before(database.url), await TcpProxy.before(indexUrl)];
    const store = new QdrantVectorStore({ url: indexUrl, apiKey: null, searchTimeoutMs: 5_000, writeTimeoutMs: 5_000 });
    return new FaultStage(database, double, databaseProxy, indexProxy, store, indexUrl, options, {
      DATABASE_URL: databaseProxy.through(database.url),
      QDRANT_URL: indexProxy.through(indexUrl),
      QDRANT_COLLECTION_PREFIX: `fault_${randomBytes(4).toString('hex')}`,
      SYNC_LEASE_MS: String(STAGE_LEASE_MS),
      SYNC_WRITE_TIMEOUT_MS: String(WRITE_TIMEOUT_MS),
      SYNC_GRACE_MS: String(GRACE_MS),
      VECTOR_FALLBACK: 'none',
      EMBEDDING_WORKERS: '1',
      ...NO_SCHEDULES,
      ...options.environment,
    });
  }

  /** Starts a process and returns at once; the stage ends it when the stage is struck. */
  launch(program: 'api' | 'worker', environment: Readonly<Record<string, string>> = {}): ServerProcess {
    const dataDir = mkdtempSync(join(tmpdir(), 'kindred-stage-'));
    this.dataDirs.push(dataDir);
    const preloads: ProcessPreload[] = [
      'clock',
      'crash-point',
      'mutant',
      ...(this.options.hasModel === true ? [] : ['fake-embedder' as const]),
    ];
    const started = ServerProcess.launch({ DATA_DIR: dataDir, ...this.environment, ...environment }, { program, preloads });
    this.processes.push(started);
    void started.ended.then(() => rmSync(dataDir, { recursive: true, force: true }));
    return started;
  }

  /** Starts a process and waits until it is ready. */
  async start(program: 'api' | 'worker', environment: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
    const started = this.launch(program, environment);
    await started.ready;
    return started;
  }

  /** Statements of a client behind the same proxy as the processes, each in a transaction of its own: BEGIN, the statement, COMMIT. */
  async connectClient(): Promise<{ query: FaultStage['query']; close(): Promise<void> }> {
    const source = createDataSource({
      url: this.databaseProxy.through(this.database.url),
      applicationName: 'kindred-fault-client',
      poolSize: CLIENT_POOL_SIZE,
      queryTimeoutMs: CHECK_TIMEOUT_MS,
    });
    await source.initialize();
    const unitOfWork = new TypeOrmUnitOfWork(() => source);
    return {
      query: <Row>(sql: string, parameters: readonly unknown[] = []) => unitOfWork.run((session) => session.query<Row>(sql, parameters)),
      close: () => source.destroy(),
    };
  }

  /** Watches the revs of the index for those that go down; of rows that the workload never deleted. */
  async watch(workload: RowWorkload): Promise<RevWatch> {
    const { collection } = await this.checker.generation();
    return new RevWatch(this.store, collection, (id) => workload.everDeleted.has(id));
  }

  query = <Row = Record<string, unknown>>(sql: string, parameters: readonly unknown[] = []) => this.database.query<Row>(sql, parameters);

  /** Resolves when rows and index agree; rejects with what differs when that takes too long. Returns the milliseconds it took. */
  async untilInStep(timeoutMs = CHECK_TIMEOUT_MS): Promise<number> {
    const startedMs = performance.now();
    let differences: string[] = ['not looked yet'];
    await waitFor(
      async () => {
        if ((await this.checker.pending()) > 0) return false;
        differences = await this.checker.differences();
        return differences.length === 0;
      },
      { what: 'rows and index agree', timeoutMs, intervalMs: 20 },
    ).catch(async (error: unknown) => {
      differences = await this.checker.differences();
      throw new Error(`rows and index differ after ${timeoutMs} ms:\n  ${differences.slice(0, 20).join('\n  ')}\n${this.lastWords()}`, {
        cause: error,
      });
    });
    return performance.now() - startedMs;
  }

  /** Kills what still runs and takes everything down. */
  async strike(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.end('SIGKILL')));
    for (const dataDir of this.dataDirs) rmSync(dataDir, { recursive: true, force: true });
    if (this.double === null) await this.dropCollections();
    await this.store.close();
    await Promise.all([this.databaseProxy.close(), this.indexProxy.close()]);
    await this.double?.stop();
    await this.database.close();
  }

  /** A real server is somebody's; a database that a test has ended cannot say what it had there. */
  private async dropCollections(): Promise<void> {
    const { rows } = await this.query<{ collection: string }>('SELECT collection FROM index_generations').catch(() => ({ rows: [] }));
    for (const { collection } of rows) await this.store.drop(collection);
  }

  /** What the processes that were started last have printed last. */
  lastWords(): string {
    return this.processes
      .slice(-2)
      .map(
        ({ output, pid, outcome }) =>
          `process ${pid} ${outcome === null ? 'runs' : `has ended with ${outcome}`}:\n${output.slice(-5).join('\n')}`,
      )
      .join('\n');
  }
}
