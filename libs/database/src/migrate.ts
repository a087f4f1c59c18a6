import { MigrationExecutor, type DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { FatalStartupError } from '#kernel';
import { MIGRATIONS } from './migrations/index.js';

/** Any number, the same in every replica and unlikely to be taken by another program: the first bytes of sha256('kindred migrations'). */
const MIGRATION_LOCK = 0x6b696e64;

/**
 * Runs the migrations that have not run yet, once among all replicas that try.
 *
 * One transaction takes the lock and runs them all, so the others wait for its end and then find nothing to do; it works behind a pooler in transaction mode.
 *
 * @returns the names of the migrations that this call ran, oldest first
 * @throws FatalStartupError when the database was migrated by a newer release, or a migration fails
 */
export async function runMigrations(source: DataSource): Promise<string[]> {
  return inMigrationTransaction(source, async (executor) => {
    await assertKnown(source, executor);
    const done = await executor.executePendingMigrations();
    return done.map(({ name }) => name);
  });
}

/** Undoes the newest migration. Rows of the tables that it made are gone afterwards. @returns its name; `null` = there was none */
export async function revertLastMigration(source: DataSource): Promise<string | null> {
  return inMigrationTransaction(source, async (executor) => {
    const before = await executor.getExecutedMigrations();
    await executor.undoLastMigration();
    const left = new Set((await executor.getExecutedMigrations()).map(({ name }) => name));
    return before.find(({ name }) => !left.has(name))?.name ?? null;
  });
}

/** Names of the migrations of this release, oldest first. */
export function migrationNames(): string[] {
  return MIGRATIONS.map((migration) => nameOf(new migration()));
}

/** Keeps every replica from migrating, and so from starting, until the transaction of the runner ends. */
export async function lockMigrations(runner: QueryRunner): Promise<void> {
  await runner.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
}

/**
 * Undoes and runs migrations, in the transaction of the runner, until exactly `names` have run; `'all'` = every one that this release has.
 *
 * Undoing goes from the newest back, as far as there is one that is not wanted.
 *
 * @throws FatalStartupError when the database, or `names`, have one that this release does not know
 */
export async function migrateTo(source: DataSource, runner: QueryRunner, names: readonly string[] | 'all'): Promise<void> {
  const known = migrationNames();
  const wanted = new Set(names === 'all' ? known : names);
  const executor = new MigrationExecutor(source, runner);
  await assertKnown(source, executor);
  const foreign = [...wanted].filter((name) => !known.includes(name));
  if (foreign.length > 0) throw new FatalStartupError(`This Kindred does not know the migrations ${foreign.join(', ')}: it is too old.`);
  for (;;) {
    const executed = await executor.getExecutedMigrations();
    if (executed.every(({ name }) => wanted.has(name))) break;
    await executor.undoLastMigration();
  }
  for (const migration of await executor.getPendingMigrations()) if (wanted.has(migration.name)) await executor.executeMigration(migration);
}

/** TypeORM lets a migration go without a name of its own; none of ours does. */
function nameOf({ name, constructor }: MigrationInterface): string {
  return name ?? constructor.name;
}

async function inMigrationTransaction<T>(source: DataSource, work: (executor: MigrationExecutor) => Promise<T>): Promise<T> {
  const runner = source.createQueryRunner();
  try {
    await runner.startTransaction('READ COMMITTED');
    // A table may be large: what bounds other statements must not bound a migration.
    await runner.query('SET LOCAL statement_timeout = 0');
    await lockMigrations(runner);
    const result = await work(new MigrationExecutor(source, runner));
    await runner.commitTransaction();
    return result;
  } catch (error) {
    if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  } finally {
    await runner.release();
  }
}

async function assertKnown(source: DataSource, executor: MigrationExecutor): Promise<void> {
  const known = new Set(source.migrations.map(({ name }) => name));
  const unknown = (await executor.getExecutedMigrations()).map(({ name }) => name).filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new FatalStartupError(
    `The database was migrated by a newer Kindred (it has ${unknown.join(', ')}). Start that version, or restore a backup from before.`,
  );
}
