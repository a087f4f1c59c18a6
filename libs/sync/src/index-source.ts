import type { SqlSession } from '#database';
import type { PayloadIndex, PayloadValue } from '#vector-store';

/** A row as the index sees it. */
export interface IndexDocument {
  readonly id: string;
  /** The text that is embedded. */
  readonly text: string;
  /** What filters read, and only that: a change of anything else must change neither text nor payload. */
  readonly payload: Readonly<Record<string, PayloadValue>>;
}

/**
 * A kind of row that Kindred keeps in step with the index. A feature implements it and registers it with {@link IndexSourceRegistry}.
 */
export abstract class IndexSource {
  /** Name of the source: the argument of its capture triggers and `index_generations.source`; lower case letters and `_`. */
  abstract readonly name: string;

  /** Revision of the text template; change it whenever the same row would be rendered differently. */
  abstract readonly templateRev: string;

  /** The payload fields with their index types. */
  abstract readonly payloadIndexes: readonly PayloadIndex[];

  /**
   * Reads the rows as they are in the snapshot of `session` (the relay's read transaction); rows that do not exist are left out.
   * Order does not matter. Must not touch anything but `session`.
   */
  abstract load(ids: readonly string[], session: SqlSession): Promise<IndexDocument[]>;

  /** Lists ids in ascending order, behind `after` (exclusive; `null` = from the start), at most `limit`. Used to fill a new generation and to compare. */
  abstract listIds(after: string | null, limit: number, session: SqlSession): Promise<string[]>;

  /** Counts the rows by the last byte of their id (two hex digits), exactly, in the snapshot of `session`; buckets without rows are absent. */
  abstract countByBucket(session: SqlSession): Promise<Map<string, number>>;
}
