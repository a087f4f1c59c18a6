import type { DataSource } from 'typeorm';
import { connectDataSource } from './connect-data-source.js';
import { toDomainError } from './database-errors.js';
import { TypeOrmUnitOfWork } from './typeorm-unit-of-work.js';
import type { SqlSession } from './unit-of-work.js';

/** A first page or a count of a large table without a fitting index takes minutes; nobody else waits for it. */
const STATEMENT_TIMEOUT_MS = 900_000;

/**
 * A foreign PostgreSQL database that is read and never changed: whatever is sent to it runs in a READ ONLY transaction, which the server itself enforces.
 *
 * One connection. Transactions are short, so that the foreign server can clean up behind them.
 */
export class ReadOnlySource {
  private readonly unitOfWork: TypeOrmUnitOfWork;

  private constructor(private readonly source: DataSource) {
    this.unitOfWork = new TypeOrmUnitOfWork(() => source, { statementTimeoutMs: STATEMENT_TIMEOUT_MS });
  }

  /** @throws DomainError `database.unavailable`; every other refusal as the driver words it */
  static async open(url: string): Promise<ReadOnlySource> {
    try {
      const { source } = await connectDataSource({ url, applicationName: 'kindred-import', poolSize: 1 });
      return new ReadOnlySource(source);
    } catch (error) {
      throw toDomainError(error);
    }
  }

  /** Runs `work` in one read-only transaction, of one snapshot. @throws as {@link UnitOfWork.run} */
  async read<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    return this.unitOfWork.run(work, { isReadOnly: true, isolation: 'REPEATABLE READ' });
  }

  async close(): Promise<void> {
    await this.source.destroy();
  }
}

/** A name as PostgreSQL reads it back unchanged, whatever is in it. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
