import { DomainError, SystemIdGenerator } from '#kernel';
import type { AuditedResult } from '#security';

/** Something that the command line does to the database itself. */
export interface DirectAct {
  /** The command, for example `backup`. */
  readonly action: string;
  readonly target: string | null;
  /** What was asked for; must hold nothing secret. */
  readonly detail: unknown;
}

/**
 * Does something to the database, and records it in its audit: before it begins, and when it has ended.
 *
 * A database that is older than the audit gets a record only of an act that brings it one, and only when that is done.
 *
 * @param targetOf what `work` has changed, where it was not known before
 */
export async function auditedDirectly<T>(
  url: string,
  act: DirectAct,
  work: () => Promise<T>,
  targetOf: (done: T) => string | null = () => null,
): Promise<T> {
  const [{ DatabaseConnection, hasRelation }, { AuditLog, cliActor }] = await Promise.all([import('#database'), import('#security')]);
  const database = await DatabaseConnection.open(url);
  try {
    const audit = new AuditLog(database.unitOfWork, new SystemIdGenerator());
    const recorded = (doing: () => Promise<T>): Promise<T> => audit.during({ ...cliActor(), ...act }, doing, resultOf, targetOf);
    const hasAudit = (): Promise<boolean> => hasRelation(database.unitOfWork, 'public.audit_entries');
    if (await hasAudit()) return await recorded(work);
    const done = await work();
    return (await hasAudit()) ? await recorded(async () => done) : done;
  } finally {
    await database.close();
  }
}

function resultOf(error: unknown): AuditedResult {
  return { result: 'failed', code: error instanceof DomainError ? error.code : null };
}
