/** What a statement gave back. */
export interface SqlResult<Row> {
  readonly rows: Row[];
  /** Rows returned, or rows changed by a statement without RETURNING. */
  readonly rowCount: number;
}

/** Runs SQL with `$1` parameters: either one transaction, or one connection per statement. */
export interface SqlSession {
  query<Row = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<SqlResult<Row>>;
}

/**
 * Runs behind a write, in its transaction: what it writes is committed together with `written`, or not at all.
 *
 * @param written what the write has come to
 */
export type WithinWrite<T> = (session: SqlSession, written: T) => Promise<void>;

export interface TransactionOptions {
  /** Default: READ COMMITTED. */
  readonly isolation?: 'READ COMMITTED' | 'REPEATABLE READ';
  readonly isReadOnly?: boolean;
}

/**
 * Runs work in transactions on one pool. No session state survives a transaction, so a pooler in transaction mode may stand between.
 *
 * Nothing inside `run` may call the network or the embedder: the connection, and the locks, are held until it returns.
 */
export abstract class UnitOfWork implements SqlSession {
  /** Runs one statement on a connection of its own. */
  abstract query<Row = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<SqlResult<Row>>;

  /**
   * Runs `work` in one transaction: commits when it resolves, rolls back when it rejects, and rejects with the same error.
   *
   * @throws DomainError `database.unavailable` when there is no connection to be had, `database.busy` when the pool is exhausted
   */
  abstract run<T>(work: (session: SqlSession) => Promise<T>, options?: TransactionOptions): Promise<T>;
}

/** The same, on the pool of the sync engine, so that requests never wait behind it, nor it behind them. */
export abstract class RelayUnitOfWork extends UnitOfWork {}
