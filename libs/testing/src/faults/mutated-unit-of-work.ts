import { RelayUnitOfWork, type SqlResult, type SqlSession, type TransactionOptions } from '#database';

/** One piece of SQL text, and what stands there instead. */
export interface SqlMutation {
  readonly replace: string;
  readonly by: string;
  /** Only statements that contain this are changed. Default: all that contain `replace`. */
  readonly within?: string;
}

/**
 * A unit of work in whose statements one piece is replaced: a guard of the protocol that is missing, to see the test of it fail.
 *
 * {@link assertHit} fails when the piece never came up, because then nothing was taken out and the test has proved nothing.
 */
export class MutatedUnitOfWork extends RelayUnitOfWork {
  hits = 0;

  constructor(
    private readonly inner: RelayUnitOfWork,
    private readonly mutation: SqlMutation,
  ) {
    super();
  }

  query<Row = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<SqlResult<Row>> {
    return this.inner.query<Row>(this.mutate(sql), parameters);
  }

  run<T>(work: (session: SqlSession) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return this.inner.run((session) => work({ query: (sql, parameters) => session.query(this.mutate(sql), parameters) }), options);
  }

  /** @throws Error when no statement had the piece */
  assertHit(): void {
    if (this.hits === 0) throw new Error(`No statement contained: ${this.mutation.replace}`);
  }

  private mutate(sql: string): string {
    const { replace, by, within = replace } = this.mutation;
    if (!sql.includes(within) || !sql.includes(replace)) return sql;
    this.hits++;
    return sql.replaceAll(replace, by);
  }
}
