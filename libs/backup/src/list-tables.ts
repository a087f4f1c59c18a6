import { quoteIdentifier, type SqlSession } from '#database';

/**
 * Tables of schema public that are in no backup, with the reason. Everything else there is, so that a new table is in it without anybody thinking of it.
 * Unlogged tables, which PostgreSQL itself empties after a crash, and the schema of the job queue, which the jobs' own rows fill again, are not either.
 */
export const EXCLUDED_TABLES: Readonly<Record<string, string>> = {
  migrations: 'the manifest lists them, and a restore runs them',
  typeorm_metadata: 'of the tool that runs migrations',
  sync_leases: 'rights of processes that run now',
  erasure_processes: 'processes that run now',
};

/** Filled by the migrations themselves: a database that has nothing else is empty. */
export const FILLED_BY_MIGRATIONS: ReadonlySet<string> = new Set(['kindred_identity']);

/** Every table that a migration makes, or has made, and that belongs into a backup. Other programs may have theirs in the same schema: a restore leaves those alone. */
export const KINDRED_TABLES: ReadonlySet<string> = new Set([
  'api_keys',
  'audit_entries',
  'backups',
  'chunks',
  'collections',
  'conversation_messages',
  'conversations',
  'dead_letter_mutes',
  'documents',
  'embedding_cache',
  'erasure_steps',
  'erasures',
  'idempotency_keys',
  'index_certificates',
  'index_generations',
  'index_ledger',
  'ingestion_external_ids',
  'ingestion_jobs',
  'ingestion_pieces',
  'ingestion_problems',
  'kindred_identity',
  'pgvector_imports',
  'projects',
  'sync_schedule_runs',
]);

export interface CopiedTable {
  readonly name: string;
  /** Stored ones, in the order of the table; generated ones are made again. */
  readonly columns: readonly string[];
}

const LIST = `
SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relpersistence = 'p' AND c.relname <> ALL($1::text[])
GROUP BY c.relname ORDER BY c.relname`;

const REFERENCES = `
SELECT r.relname AS child, p.relname AS parent FROM pg_constraint k
JOIN pg_class r ON r.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE k.contype = 'f' AND n.nspname = 'public' AND k.conrelid <> k.confrelid`;

/** Every table that belongs into a backup, parents before the tables that refer to them. */
export async function listTables(session: SqlSession): Promise<CopiedTable[]> {
  return list(session, () => true);
}

/** Those of them that are Kindred's. */
export async function listKindredTables(session: SqlSession): Promise<CopiedTable[]> {
  return list(session, ({ name }) => KINDRED_TABLES.has(name));
}

async function list(session: SqlSession, isWanted: (table: CopiedTable) => boolean): Promise<CopiedTable[]> {
  const { rows: tables } = await session.query<CopiedTable>(LIST, [Object.keys(EXCLUDED_TABLES)]);
  const { rows: references } = await session.query<{ child: string; parent: string }>(REFERENCES);
  return parentsFirst(tables.filter(isWanted), references);
}

/** The same order each time: by name where nothing else decides. @throws Error when tables refer to each other in a circle */
export function parentsFirst(
  tables: readonly CopiedTable[],
  references: readonly { readonly child: string; readonly parent: string }[],
): CopiedTable[] {
  const ordered: CopiedTable[] = [];
  const open = new Map(tables.map((table) => [table.name, table]));
  while (open.size > 0) {
    const ready = [...open.values()].filter(({ name }) => !references.some(({ child, parent }) => child === name && open.has(parent)));
    if (ready.length === 0) throw new Error(`Tables refer to each other in a circle: ${[...open.keys()].join(', ')}`);
    for (const table of ready) open.delete(table.name);
    ordered.push(...ready);
  }
  return ordered;
}

export const publicName = (table: string): string => `public.${quoteIdentifier(table)}`;

export const columnList = (columns: readonly string[]): string => columns.map(quoteIdentifier).join(', ');
