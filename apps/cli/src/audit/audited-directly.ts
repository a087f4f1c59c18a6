import { DomainError, SystemIdGenerator } from '#kernel';

/** Something that the command line does to the database itself. */
export interface DirectAct {
  /** The command, for example `backup`. */
  readonly action: string;
  readonly target: string | null;
  /** What was asked for; must hold nothing secret. */
  readonly detail: unknown;
}

const HAS_AUDIT = `SELECT to_regclass('public.audit_entries') IS NOT NULL AS is_there`;

/** Does something to the database, and records it in its audit: before it begins, and when it has ended. A database that is older than the audit gets no record. */
export async function auditedDirectly<T>(url: string, act: DirectAct, work: () => Promise<T>): Promise<T> {
  const [{ DatabaseConnection }, { AuditLog, cliActor }] = await Promise.all([import('#database'), import('#security')]);
  const database = await DatabaseConnection.open(url);
  try {
    const { rows } = await database.unitOfWork.query<{ is_there: boolean }>(HAS_AUDIT);
    if (!rows[0]!.is_there) return await work();
    const audit = new AuditLog(database.unitOfWork, new SystemIdGenerator());
    return await audit.during({ ...cliActor(), ...act }, work, (error) => ({
      result: 'failed',
      code: error instanceof DomainError ? error.code : null,
    }));
  } finally {
    await database.close();
  }
}
