import type { DataSource } from 'typeorm';
import { connectDataSource } from './connect-data-source.js';
import { toDomainError } from './database-errors.js';
import { TypeOrmUnitOfWork } from './typeorm-unit-of-work.js';
import type { RelayUnitOfWork } from './unit-of-work.js';

const POOL_SIZE = 2;

/** A short-lived connection to Kindred's own database, for commands beside the running service. Migrates nothing. */
export class DatabaseConnection {
  readonly unitOfWork: RelayUnitOfWork;

  private constructor(private readonly source: DataSource) {
    this.unitOfWork = new TypeOrmUnitOfWork(() => source);
  }

  /** @throws DomainError `database.unavailable`; every other refusal as the driver words it */
  static async open(url: string): Promise<DatabaseConnection> {
    try {
      const { source } = await connectDataSource({ url, applicationName: 'kindred-command', poolSize: POOL_SIZE });
      return new DatabaseConnection(source);
    } catch (error) {
      throw toDomainError(error);
    }
  }

  async close(): Promise<void> {
    await this.source.destroy();
  }
}
