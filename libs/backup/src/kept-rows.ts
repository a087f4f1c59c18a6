import { hasRelation, type SqlSession } from '#database';

/** Read before everything is emptied. */
const KEPT: Readonly<Record<string, string>> = {
  api_keys: 'key_id, revoked_at, expires_at',
  audit_entries: 'audit_id, act_id, phase, at, key_id, key_name, channel, action, target, detail, address, request_id, result, code',
  backups: 'id, location, begun_at, finished_at, rows, bytes',
};

const KEEP = (table: string, columns: string) =>
  `CREATE TEMPORARY TABLE kept_${table} ON COMMIT DROP AS SELECT ${columns} FROM public.${table}`;

/* least() passes over nulls: a key that either side has revoked is revoked. */
const WITHDRAW = `
UPDATE public.api_keys k SET revoked_at = least(k.revoked_at, t.revoked_at), expires_at = least(k.expires_at, t.expires_at) FROM pg_temp.kept_api_keys t
WHERE t.key_id = k.key_id AND (t.revoked_at < coalesce(k.revoked_at, 'infinity') OR t.expires_at < coalesce(k.expires_at, 'infinity'))`;

/* Under new ids, in the old order: those of another database mean nothing here. */
const AUDIT = `
INSERT INTO public.audit_entries (act_id, phase, at, key_id, key_name, channel, action, target, detail, address, request_id, result, code)
SELECT act_id, phase, at, key_id, key_name, channel, action, target, detail, address, request_id, result, code FROM pg_temp.kept_audit_entries t
WHERE NOT EXISTS (SELECT FROM public.audit_entries a WHERE a.act_id = t.act_id AND a.phase = t.phase) ORDER BY t.audit_id`;

const BACKUPS = `
INSERT INTO public.backups (id, location, begun_at, finished_at, rows, bytes)
SELECT id, location, begun_at, finished_at, rows, bytes FROM pg_temp.kept_backups ON CONFLICT (id) DO NOTHING`;

const GOOD_KEYS = `
SELECT count(*)::int AS count FROM public.api_keys WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())`;

export interface KeptRows {
  /** Keys of the backup that the database had revoked, or made expire earlier, since. */
  readonly keysWithdrawn: number;
  /** Keys that are good after the restore. */
  readonly keysGood: number;
  /** Whether the database had keys: else nobody can tell which of the backup were revoked since. */
  readonly knewKeys: boolean;
}

/** Remembers, until the transaction ends, what a database knows that must outlive a restore of it. Returns the tables that it has. */
export async function keepRows(session: SqlSession): Promise<ReadonlySet<string>> {
  const kept = new Set<string>();
  for (const [table, columns] of Object.entries(KEPT)) {
    if (!(await hasRelation(session, `public.${table}`))) continue;
    await session.query(KEEP(table, columns));
    kept.add(table);
  }
  return kept;
}

/** Brings it back into the restored tables, which have the newest schema: a key that was revoked stays revoked, and what was done stays in the audit. */
export async function returnRows(session: SqlSession, kept: ReadonlySet<string>): Promise<KeptRows> {
  const run = async (table: string, sql: string) => (kept.has(table) ? session.query(sql) : { rows: [], rowCount: 0 });
  const { rowCount: keysWithdrawn } = await run('api_keys', WITHDRAW);
  await run('audit_entries', AUDIT);
  await run('backups', BACKUPS);
  const { rows: had } = await run('api_keys', 'SELECT 1 FROM pg_temp.kept_api_keys LIMIT 1');
  const { rows } = await session.query<{ count: number }>(GOOD_KEYS);
  return { keysWithdrawn, keysGood: rows[0]!.count, knewKeys: had.length > 0 };
}
