import type { DataSource, QueryRunner } from 'typeorm';
import { toDomainError } from './database-errors.js';
import { RelayUnitOfWork, type SqlResult, type SqlSession, type TransactionOptions } from './unit-of-work.js';

export interface TypeOrmUnitOfWorkOptions {
  /** Longest time one statement of a transaction may take; the server ends it then. Default 30,000. */
  readonly statementTimeoutMs?: number;
}

const STATEMENT_TIMEOUT_DEFAULT_MS = 30_000;

/** The unit of work on one TypeORM data source, which is one connection pool. */
export class TypeOrmUnitOfWork extends RelayUnitOfWork {
  private readonly statementTimeoutMs: number;

  /** @param source resolves the data source for each call, or throws the DomainError that callers see while there is none */
  constructor(
    private readonly source: () => DataSource,
    options: TypeOrmUnitOfWorkOptions = {},
  ) {
    super();
    this.statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_DEFAULT_MS;
  }

  async query<Row = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<SqlResult<Row>> {
    const runner = await this.connect();
    try {
      return await execute<Row>(runner, sql, parameters);
    } catch (error) {
      throw toDomainError(error);
    } finally {
      await runner.release();
    }
  }

  async run<T>(work: (session: SqlSession) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const runner = await this.connect();
    const session: SqlSession = { query: (sql, parameters) => execute(runner, sql, parameters) };
    let isOpen = false;
    try {
      // One round trip. SET LOCAL ends with the transaction, so nothing of it reaches the next user of a pooled connection.
      await runner.query(`BEGIN ISOLATION LEVEL ${options.isolation ?? 'READ COMMITTED'} ${options.isReadOnly === true ? 'READ ONLY' : 'READ WRITE'}; SET LOCAL statement_timeout = ${this.statementTimeoutMs}`);
      isOpen = true;
      const result = await work(session);
      await runner.query('COMMIT');
      return result;
    } catch (error) {
      if (isOpen) await rollBack(runner);
      throw toDomainError(error);
    } finally {
      await runner.release();
    }
  }

  private async connect(): Promise<QueryRunner> {
    const runner = this.source().createQueryRunner();
    try {
      await runner.connect();
      return runner;
    } catch (error) {
      await runner.release();
      throw toDomainError(error);
    }
  }
}

async function execute<Row>(runner: QueryRunner, sql: string, parameters?: readonly unknown[]): Promise<SqlResult<Row>> {
  // Structured results: without them UPDATE and DELETE answer [rows, count], and everything else answers rows.
  const result = await runner.query(sql, parameters as unknown[] | undefined, true);
  const rows = (result.records ?? []) as Row[];
  return { rows, rowCount: result.affected ?? rows.length };
}

/** Never throws: the error that made it necessary is the one worth reporting. */
async function rollBack(runner: QueryRunner): Promise<void> {
  try {
    await runner.query('ROLLBACK');
  } catch {
    // The connection is gone, and the transaction with it.
  }
}
