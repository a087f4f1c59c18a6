import { DomainError } from '#kernel';
import type { IndexGeneration } from '../../generations/index-generation.js';
import type { Certificate } from '../../reconciler/certificate.js';
import type { Certificates } from '../../reconciler/certificates.js';
import type { Reconciler } from '../../reconciler/reconciler.js';

/** Of one generation; what is left is compared by the next run. */
const BUDGET_MS = 600_000;

/**
 * One scheduled reconciliation of one generation: repairs what differs, and goes on where a run that came to no end has stopped.
 *
 * @returns where to find the certificate, and its gist
 * @throws Error when it failed or refused: a person should look
 */
export function reconcileWork(reconciler: Pick<Reconciler, 'run'>, certificates: Pick<Certificates, 'latest'>) {
  return async (generation: IndexGeneration, signal: AbortSignal): Promise<unknown> => {
    const after = resumePoint(await certificates.latest(generation.id));
    try {
      const { id, decision, report } = await reconciler.run(generation, { budgetMs: BUDGET_MS, signal, after });
      if (decision === 'failed' || decision === 'refused')
        throw new Error([`certificate ${id}: ${decision}`, ...report.reasons].join('. '));
      return { certificate: id, decision, verified: report.verified, repaired: report.repaired, reasons: report.reasons };
    } catch (error) {
      // Somebody started one by hand: it does the same.
      if (error instanceof DomainError && error.code === 'sync.reconciliation-running')
        return { decision: 'left out', reasons: [error.detail] };
      throw error;
    }
  };
}

function resumePoint(latest: Certificate | null): string | undefined {
  if (latest === null || latest.decision !== 'incomplete' || latest.report.is_read_only) return undefined;
  return latest.report.up_to ?? undefined;
}
