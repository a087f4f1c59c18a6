import type { VectorStore } from '#vector-store';
import type { IndexGeneration } from '../../generations/index-generation.js';
import type { Certificate } from '../../reconciler/certificate.js';
import type { Certificates } from '../../reconciler/certificates.js';
import type { QuickCheck } from '../../reconciler/quick-check.js';

export interface QuickCheckWorkParts {
  readonly quickCheck: Pick<QuickCheck, 'run'>;
  readonly store: Pick<VectorStore, 'unprovenRun'>;
  readonly certificates: Pick<Certificates, 'latest'>;
  readonly reconcile: (generation: IndexGeneration, signal: AbortSignal) => Promise<unknown>;
}

/**
 * One scheduled quick check of one generation; and a reconciliation behind it when the server has been restarted since the last one and is of a version
 * that may undo acknowledged writes then: counts alone would not show a point that has gone back to older content.
 */
export function quickCheckWork({ quickCheck, store, certificates, reconcile }: QuickCheckWorkParts) {
  return async (generation: IndexGeneration, signal: AbortSignal): Promise<unknown> => {
    const result = await quickCheck.run(generation, { signal });
    const run = await store.unprovenRun({ signal });
    if (run === null || isProven(run, await certificates.latest(generation.id))) return result;
    return { ...result, after_restart: await reconcile(generation, signal) };
  };
}

/** Whether the comparison came to an end in this run; what it found is on the way, or a person's business. */
function isProven(run: string, latest: Certificate | null): boolean {
  return latest !== null && latest.report.store.run === run && latest.decision !== 'failed' && latest.decision !== 'incomplete';
}
