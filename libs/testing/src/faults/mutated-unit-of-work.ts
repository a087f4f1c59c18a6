import { RelayUnitOfWork, type SqlResult, type SqlSession, type TransactionOptions } from '#database';

/** One piece of SQL text, and what stands there instead. */
export interface SqlMutation {
  readonly replace: string;
  readonly by: string;
  /** Only statements that contain this are changed. Default: all that contain `replace`. */
  readonly within?: string;
}

/**
 * A unit of work in whose statements a piece is replaced: a guard of the protocol that is missing, to see the test of it fail.
 *
 * {@link assertHit} fails when the piece never came up, because then nothing was taken out and the test has proved nothing.
 */
export class MutatedUnitOfWork extends RelayUnitOfWork {
  private readonly mutations: readonly SqlMutation[];
  private readonly hit = new Set<SqlMutation>();

  constructor(
    private readonly inner: RelayUnitOfWork,
    mutations: SqlMutation | readonly SqlMutation[],
  ) {
    super();
    this.mutations = [mutations].flat();
  }

  query<Row = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<SqlResult<Row>> {
    return this.inner.query<Row>(this.mutate(sql), parameters);
  }

  run<T>(work: (session: SqlSession) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return this.inner.run((session) => work({ query: (sql, parameters) => session.query(this.mutate(sql), parameters) }), options);
  }

  /** Whether every piece has come up. */
  get isHit(): boolean {
    return this.mutations.every((mutation) => this.hit.has(mutation));
  }

  /** @throws Error when no statement had a piece */
  assertHit(): void {
    const missed = this.mutations.filter((mutation) => !this.hit.has(mutation));
    if (missed.length > 0) throw new Error(`No statement contained: ${missed.map(({ replace }) => replace).join('; ')}`);
  }

  private mutate(sql: string): string {
    let mutated = sql;
    for (const mutation of this.mutations) {
      const { replace, by, within = replace } = mutation;
      if (!sql.includes(within) || !mutated.includes(replace)) continue;
      this.hit.add(mutation);
      mutated = mutated.replaceAll(replace, by);
    }
    return mutated;
  }
}
