import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { toDomainError } from './database-errors.js';
import { RelayUnitOfWork, type SqlResult, type SqlSession, type TransactionOptions } from './unit-of-work.js';

/** Longest time one statement of a transaction may take; the server ends it then. */
const STATEMENT_TIMEOUT_MS = 30_000;

/** What TypeORM's PostgreSQL driver hands out; its own typings call it `any`. */
interface PooledConnections {
  obtainMasterConnection(): Promise<[client: PoolClient, release: (error?: Error) => void]>;
}

/** One connection out of the pool, with what became of it. */
interface Lease {
  readonly client: PoolClient;
  /** Set when the connection must not be used again. */
  failure: Error | undefined;
}

/**
 * The unit of work on one TypeORM data source, which is one connection pool.
 *
 * int8 and numeric arrive as strings, timestamps as Date, bytea as Buffer, uuid as text: whatever JavaScript could not hold exactly is left alone.
 */
export class TypeOrmUnitOfWork extends RelayUnitOfWork {
  /** @param source gives the data source of each call, or throws the DomainError that callers get while there is none */
  constructor(
    private readonly source: () => DataSource,
    private readonly options: { readonly statementTimeoutMs?: number } = {},
  ) {
    super();
  }

  query<Row = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<SqlResult<Row>> {
    return this.withConnection((lease) => execute<Row>(lease.client, sql, parameters));
  }

  run<T>(work: (session: SqlSession) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    return this.withConnection(async (lease) => {
      await lease.client.query(this.beginStatement(options));
      try {
        const result = await callWith(lease, work);
        await commit(lease.client);
        return result;
      } catch (error) {
        await rollBack(lease);
        throw error;
      }
    });
  }

  /** One round trip. What SET LOCAL sets ends with the transaction, so nothing of it reaches the next user of a pooled connection. */
  private beginStatement({ isolation = 'READ COMMITTED', isReadOnly = false }: TransactionOptions): string {
    const timeoutMs = this.options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
    return `BEGIN ISOLATION LEVEL ${isolation} ${isReadOnly ? 'READ ONLY' : 'READ WRITE'}; SET LOCAL statement_timeout = ${timeoutMs}`;
  }

  private async withConnection<T>(work: (lease: Lease) => Promise<T>): Promise<T> {
    try {
      const [client, release] = await (this.source().driver as unknown as PooledConnections).obtainMasterConnection();
      const lease: Lease = { client, failure: undefined };
      const onLost = (error: Error): void => void (lease.failure = error);
      // The pool listens only while a connection is idle; an error that nobody listens to would end the process.
      client.on('error', onLost);
      try {
        return await work(lease);
      } catch (error) {
        // The server may still be working on that statement, and would answer it to the next user of the connection.
        if (isClientTimeout(error)) lease.failure = error;
        throw error;
      } finally {
        client.removeListener('error', onLost);
        release(lease.failure);
      }
    } catch (error) {
      throw toDomainError(error);
    }
  }
}

async function execute<Row>(client: PoolClient, sql: string, parameters?: readonly unknown[]): Promise<SqlResult<Row>> {
  const { rows, rowCount } = await client.query(sql, parameters as unknown[] | undefined);
  return { rows: rows as Row[], rowCount: rowCount ?? 0 };
}

async function callWith<T>({ client }: Lease, work: (session: SqlSession) => Promise<T>): Promise<T> {
  let isEnded = false;
  const session: SqlSession = {
    query: async (sql, parameters) => {
      // By then the connection belongs to somebody else.
      if (isEnded) throw new Error('A session was used after its transaction had ended; await every statement inside `run`');
      return execute(client, sql, parameters);
    },
  };
  try {
    return await work(session);
  } finally {
    isEnded = true;
  }
}

async function commit(client: PoolClient): Promise<void> {
  const { command } = await client.query('COMMIT');
  // PostgreSQL answers COMMIT with ROLLBACK, and no error, when a statement has failed and its error was swallowed.
  if (command !== 'COMMIT') throw new Error('The transaction was rolled back, because one of its statements had failed');
}

/** Never throws: the error that made it necessary is the one worth reporting. */
async function rollBack(lease: Lease): Promise<void> {
  try {
    await lease.client.query('ROLLBACK');
  } catch (error) {
    lease.failure = error instanceof Error ? error : new Error(String(error));
  }
}

function isClientTimeout(error: unknown): error is Error {
  return error instanceof Error && error.message === 'Query read timeout';
}
