import type { PoolClient } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { DataSource, QueryRunner } from 'typeorm';
import { connectDataSource } from '../connect-data-source.js';
import { toDomainError } from '../database-errors.js';
import { lockMigrations, migrateTo } from '../migrate.js';
import type { SqlResult, SqlSession } from '../unit-of-work.js';

/** A transaction in which whole tables can be streamed. */
export interface CopySession extends SqlSession {
  /** What a `COPY … TO STDOUT` sends. Read it to its end, or destroy it, before the next statement. */
  copyOut(sql: string): Readable;
  /** Takes what a `COPY … FROM STDIN` reads; destroying it makes the server take everything back. */
  copyIn(sql: string): Writable;
}

/** A transaction that may replace all that is there, the schema included. */
export interface ReplaceSession extends CopySession {
  /** Undoes and runs migrations until these are the ones that have run; `'all'` = every one there is. @throws FatalStartupError for names that this release does not know */
  migrateTo(names: readonly string[] | 'all'): Promise<void>;
}

/*
 * Text of a COPY depends on these; a role or a database may have others. synchronize_seqscans does not matter: nothing here relies on an order.
 * A whole table takes as long as it takes, and between two tables nobody talks to the server for a while.
 */
const SETTINGS = `
SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL client_encoding = 'UTF8'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL timezone = 'UTC'; SET LOCAL intervalstyle = 'postgres';
SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 3; SET LOCAL lock_timeout = '15s'`;

/** One connection for copies of whole tables, beside the pools of the service. */
export class CopyConnection {
  private constructor(private readonly source: DataSource) {}

  /** @param applicationName shown in pg_stat_activity @throws DomainError `database.unavailable`; every other refusal as the driver words it */
  static async open(url: string, applicationName: string): Promise<CopyConnection> {
    try {
      const { source } = await connectDataSource({ url, applicationName, poolSize: 1 });
      return new CopyConnection(source);
    } catch (error) {
      throw toDomainError(error);
    }
  }

  /** Runs each statement by itself, outside of a transaction; CREATE DATABASE needs that. */
  readonly session: SqlSession = {
    query: (sql, parameters) => this.withRunner(async (_runner, client) => execute(client, sql, parameters)),
  };

  /**
   * Runs `work` on one snapshot of the database: everything it reads is of the same moment, whatever is written meanwhile. The snapshot is that of its first
   * statement that reads; a LOCK before it keeps a table from being truncated, which snapshots do not survive.
   */
  async snapshot<T>(work: (session: CopySession) => Promise<T>): Promise<T> {
    return this.inTransaction('REPEATABLE READ', async (_runner, session) => {
      await session.query('SET TRANSACTION READ ONLY');
      return work(session);
    });
  }

  /**
   * Runs `work` in one transaction that nobody starts the service beside: it holds the lock of the migrations. Everything is there at its end, or nothing is.
   */
  async replace<T>(work: (session: ReplaceSession) => Promise<T>): Promise<T> {
    return this.inTransaction('READ COMMITTED', async (runner, session) => {
      await lockMigrations(runner);
      return work({ ...session, migrateTo: (names) => migrateTo(this.source, runner, names) });
    });
  }

  async close(): Promise<void> {
    await this.source.destroy();
  }

  private async inTransaction<T>(
    isolation: 'READ COMMITTED' | 'REPEATABLE READ',
    work: (runner: QueryRunner, session: CopySession) => Promise<T>,
  ): Promise<T> {
    return this.withRunner(async (runner, client) => {
      await runner.startTransaction(isolation);
      try {
        await client.query(SETTINGS);
        const result = await work(runner, sessionOn(client));
        // Fails when a statement has failed and nobody heard of it: COMMIT would roll back then, and say nothing.
        await client.query('SELECT 1');
        await runner.commitTransaction();
        return result;
      } catch (error) {
        await runner.rollbackTransaction().catch(() => undefined);
        throw error;
      }
    });
  }

  private async withRunner<T>(work: (runner: QueryRunner, client: PoolClient) => Promise<T>): Promise<T> {
    const runner = this.source.createQueryRunner();
    try {
      return await work(runner, (await runner.connect()) as PoolClient);
    } catch (error) {
      throw toDomainError(error);
    } finally {
      await runner.release();
    }
  }
}

function sessionOn(client: PoolClient): CopySession {
  return {
    query: (sql, parameters) => execute(client, sql, parameters),
    copyOut: (sql) => abandonable(client.query(copyTo(sql)), client),
    copyIn: (sql) => client.query(copyFrom(sql)),
  };
}

/**
 * The server goes on sending when nobody reads any more, and would answer no other statement before its end: whoever gives up in the middle gives up
 * the connection.
 */
function abandonable(stream: Readable, client: PoolClient): Readable {
  return stream.once('close', () => {
    if (!stream.readableEnded) (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
  });
}

async function execute<Row>(client: PoolClient, sql: string, parameters?: readonly unknown[]): Promise<SqlResult<Row>> {
  const { rows, rowCount } = await client.query(sql, parameters as unknown[] | undefined);
  return { rows: rows as Row[], rowCount: rowCount ?? 0 };
}
