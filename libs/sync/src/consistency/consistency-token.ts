/** The header that carries a token: on replies of writes, and on searches that must show what was written. */
export const CONSISTENCY_TOKEN_HEADER = 'X-Kindred-Token';

/** Names one write, so that a search can say whether it has seen it. Clients get it as opaque text, see the codec. */
export interface ConsistencyToken {
  readonly source: string;
  /** The row that was written or deleted; a UUID in lower case. */
  readonly id: string;
  /** The generation that served at the time of the write. */
  readonly generationId: number;
  /** Ledger version of the row in that generation, of this write or of a later one. */
  readonly version: number;
}

/**
 * How far an index has come with a write.
 *
 * - `reached`: it holds that write or a later one
 * - `dead`: the entry needs a person; waiting is of no use
 * - `behind`: not yet, or it cannot be told
 */
export type TokenState = 'reached' | 'dead' | 'behind';
