import type { GateReport } from './gate-report.js';
import type { IndexGeneration } from './index-generation.js';

/** Everything that is kept about a generation, for operators. */
export interface GenerationRecord extends IndexGeneration {
  readonly createdAt: Date;
  /** When it last began to answer queries. */
  readonly servingSince: Date | null;
  readonly standbySince: Date | null;
  readonly retiredAt: Date | null;
  /** When its collection and entries were removed. */
  readonly droppedAt: Date | null;
  readonly pauseReason: string | null;
  /** Why it was built, in the operator's words. */
  readonly reason: string | null;
  /** Of the latest gate. */
  readonly gateReport: GateReport | null;
}
