import { createDataSource, EmbeddedPostgres, runMigrations, TypeOrmUnitOfWork } from '#database';
import { waitFor, type TestDatabase } from '#testing';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The parts of a database that a stage needs. */
export type StageDatabase = Pick<TestDatabase, 'url' | 'unitOfWork' | 'dataSource' | 'query' | 'close'>;

/** How a server ends: it lets nobody finish but writes a checkpoint (`fast`), or dies on the spot and recovers from its log (`immediate`). */
export type ServerEnd = 'fast' | 'immediate';

const SIGNALS: Readonly<Record<ServerEnd, NodeJS.Signals>> = { fast: 'SIGINT', immediate: 'SIGQUIT' };
const POOL_SIZE = 6;

/** A server of its own, that a test may stop, let die and start again; it listens on the same port each time. */
export class OwnDatabase implements StageDatabase {
  private constructor(
    private readonly dataDir: string,
    private readonly server: EmbeddedPostgres,
    readonly url: string,
    readonly dataSource: StageDatabase['dataSource'],
    readonly unitOfWork: StageDatabase['unitOfWork'],
  ) {}

  /**
   * @param where a folder for its data, which is removed at the end. Default: one of its own
   * @param settings of the server, over those of a test
   */
  static async start(
    where = mkdtempSync(join(tmpdir(), 'kindred-own-')),
    settings: Readonly<Record<string, string>> = {},
  ): Promise<OwnDatabase> {
    const dataDir = where;
    mkdirSync(dataDir, { recursive: true });
    chmodSync(dataDir, 0o711);
    // Its files survive the death of its processes; only the death of the machine would need fsync.
    const server = new EmbeddedPostgres({ dataDir, settings: { fsync: 'off', log_min_messages: 'fatal', ...settings } });
    const url = await server.start();
    const source = createDataSource({ url, applicationName: 'kindred-test-own', poolSize: POOL_SIZE });
    await source.initialize();
    await runMigrations(source);
    return new OwnDatabase(dataDir, server, url, source, new TypeOrmUnitOfWork(() => source));
  }

  query: StageDatabase['query'] = (sql, parameters) => this.unitOfWork.query(sql, parameters);

  /** Ends the server, and resolves when it answers again; its keeper starts it after a second. Returns the milliseconds it was away. */
  async restart(how: ServerEnd): Promise<number> {
    const pid = this.postmaster();
    const startedMs = performance.now();
    process.kill(pid, SIGNALS[how]);
    await waitFor(() => this.postmaster() !== pid, { what: 'another server runs', timeoutMs: 30_000 });
    await this.untilAnswering();
    return performance.now() - startedMs;
  }

  /** Kills the backend of somebody else, as an out-of-memory killer would: the server throws everybody out and recovers. Returns the milliseconds it took. */
  async killBackend(): Promise<number> {
    const { rows } = await this.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'kindred%' AND application_name <> 'kindred-test-own' LIMIT 1`,
    );
    if (rows[0] === undefined) throw new Error('Nobody but the test is connected');
    const startedMs = performance.now();
    process.kill(rows[0].pid, 'SIGKILL');
    await this.untilAnswering();
    return performance.now() - startedMs;
  }

  async close(): Promise<void> {
    await this.dataSource.destroy().catch(() => undefined);
    await this.server.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  private async untilAnswering(): Promise<void> {
    await waitFor(async () => (await this.query('SELECT 1')).rowCount === 1, { what: 'the server answers', timeoutMs: 30_000 });
  }

  private postmaster(): number {
    return Number(readFileSync(join(this.dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
  }
}
