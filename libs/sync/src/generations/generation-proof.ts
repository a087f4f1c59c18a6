import type { IndexGeneration } from './index-generation.js';

export interface ProofResult {
  readonly certificateId: string | null;
  /** Rows and index were read to the end, and agree. */
  readonly isClean: boolean;
  /** What was found, in one sentence; for the reasons of a gate. */
  readonly detail: string;
}

/** Reads the index of a generation and compares it with the rows, changing nothing: what a gate asks for. */
export abstract class GenerationProof {
  /** @throws whatever kept it from reading */
  abstract prove(generation: IndexGeneration, signal: AbortSignal): Promise<ProofResult>;
}
