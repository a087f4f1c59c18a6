import type { Embedder } from '#embeddings';
import type { ConsistencyToken, TokenState } from './consistency/consistency-token.js';

/** Collection and model that ONE row of `index_generations` names together, so that a query never mixes them. */
export interface ServingIndex {
  readonly generationId: number;
  readonly source: string;
  /** Physical name. */
  readonly collection: string;
  readonly embedder: Embedder;
  /** For people, for example `all-MiniLM-L6-v2:q8`. */
  readonly modelLabel: string;
}

/** What features may know of the engine: where to search, how far the index is behind, and how to hurry it. */
export abstract class IndexDirectory {
  /**
   * The serving index of the source. Cached for at most a second: a switch of generation reaches every replica within that time.
   *
   * @throws DomainError `search.not-ready` while the first generation is being created
   */
  abstract serving(source: string): Promise<ServingIndex>;

  /** Rows whose change has not reached the serving index yet; cached for at most a second. */
  abstract pendingCount(source: string): Promise<number>;

  /** Where one row stands in the serving generation, or `null` when the ledger does not know it. */
  abstract entryStatus(source: string, sourceId: string): Promise<IndexEntryStatus | null>;

  /** How several rows stand in the serving generation. */
  abstract entryCounts(source: string, sourceIds: readonly string[]): Promise<IndexEntryCounts>;

  /**
   * The token of the latest change of a row; call it after the commit. A change that was committed in between may be in it too. Never rejects, and takes
   * at most a quarter of a second: `null` = no token this time.
   */
  abstract tokenFor(source: string, sourceId: string): Promise<ConsistencyToken | null>;

  /**
   * Waits until the index that searches use has reached the token, at most `waitMs` (0 = one look), and names that index: a search that claims to have
   * seen the write must use this very one. Any number of callers share one statement; beyond a thousand nobody waits. A lag is no error.
   *
   * @throws DomainError as {@link serving}
   */
  abstract waitForToken(token: ConsistencyToken, waitMs: number): Promise<TokenSearch>;

  /** Rows whose change has not reached that index, counted now and exactly; callers at the same time share one count. */
  abstract backlog(index: ServingIndex): Promise<number>;

  /** Tells the relay of this process that a row was committed, so that it does not wait for its next poll. Never throws. */
  abstract wake(): void;
}

/** Each of the rows is in one of the counts. */
export interface IndexEntryCounts {
  readonly synced: number;
  readonly dead: number;
  readonly pending: number;
}

/** Where to search for a token's write. */
export interface TokenSearch {
  readonly serving: ServingIndex;
  /** How far that index has come. */
  readonly state: TokenState;
}

export interface IndexEntryStatus {
  readonly generationId: number;
  readonly state: 'pending' | 'synced' | 'dead' | 'tombstone';
  /** Ledger version of the latest change. */
  readonly version: number;
  /** Ledger version that the index holds; `null` = none yet. */
  readonly indexedVersion: number | null;
  readonly attempts: number;
  /** Whether the indexed text was longer than the model reads; `null` = not indexed yet. */
  readonly isTruncated: boolean | null;
  readonly lastError: { readonly code: string; readonly message: string; readonly at: string } | null;
}
