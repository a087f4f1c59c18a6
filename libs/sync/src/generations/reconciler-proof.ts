import type { Reconciler } from '../reconciler/reconciler.js';
import { GenerationProof, type ProofResult } from './generation-proof.js';
import type { IndexGeneration } from './index-generation.js';

/** A read-only reconciliation: every row against its point, with a stored certificate. */
export class ReconcilerProof extends GenerationProof {
  constructor(private readonly reconciler: Reconciler) {
    super();
  }

  async prove(generation: IndexGeneration, signal: AbortSignal): Promise<ProofResult> {
    const { id, decision, report } = await this.reconciler.run(generation, { isReadOnly: true, signal });
    const kinds = Object.entries(report.differences).filter(([, { count }]) => count > 0);
    const found = kinds.map(([kind, { count }]) => `${count} ${kind}`);
    return {
      certificateId: id,
      isClean: decision === 'clean',
      detail: [`Certificate ${id} is ${decision}`, ...found, ...report.reasons].join(', '),
    };
  }
}
