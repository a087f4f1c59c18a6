import { isUuid } from '#kernel';
import type { CertificateDecision } from './certificate.js';
import { refusalOf, type DeleteGuardInput } from './delete-guard.js';
import type { Suspect } from './findings.js';

/** What is to become of the differences that were confirmed. */
export interface RepairPlan {
  /** Differences that the relay can mend. */
  readonly repairable: readonly Suspect[];
  /** Why nothing may be touched; `null` = it may. */
  readonly refusal: string | null;
  /** Foreign points, which only a person can judge. */
  readonly leftAlone: number;
}

/**
 * Foreign points are left alone: they may be somebody's data in a collection that is ours by name only. When forced, those whose id could be a row's are
 * entered into the ledger, whose relay finds no row and deletes them; ids that are no UUIDs stay out of Kindred's reach for good.
 */
export function planRepair(
  confirmed: readonly Suspect[],
  { isForced, rows, points, isWhole }: Omit<DeleteGuardInput, 'orphans'> & { readonly isForced: boolean },
): RepairPlan {
  const repairable = confirmed.filter(({ id, kind }) => kind !== 'foreign' || (isForced && isUuid(id)));
  const orphans = repairable.filter(({ kind }) => kind === 'orphan' || kind === 'foreign').length;
  const refusal = isForced ? null : refusalOf({ orphans, rows, points, isWhole });
  return { repairable, refusal, leftAlone: confirmed.length - repairable.length };
}

export interface Outcome {
  readonly isReadOnly: boolean;
  readonly isWhole: boolean;
  readonly isAhead: boolean;
  readonly differences: number;
  readonly plan: RepairPlan;
}

/** What the certificate says, in the order of what a person must know first. */
export function decide({ isReadOnly, isWhole, isAhead, differences, plan }: Outcome): CertificateDecision {
  if (isAhead) return 'differs';
  if (plan.refusal !== null && !isReadOnly) return 'refused';
  if (!isWhole) return 'incomplete';
  if (differences === 0) return 'clean';
  return isReadOnly || plan.leftAlone > 0 ? 'differs' : 'repaired';
}
