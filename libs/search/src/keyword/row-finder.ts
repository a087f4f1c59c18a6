/** A row that has words of the text. */
export interface KeywordHit {
  readonly id: string;
  /** Above 0, about 1 at most: how much of the words of the text the row has, rare words counting more. */
  readonly score: number;
}

/** What a search asks of the feature whose rows it finds: SQL over its own tables. */
export interface RowFinder<Row> {
  /** Reads the rows that exist and meet the filter as they are now, by id, in one statement. */
  readRows(ids: readonly string[]): Promise<ReadonlyMap<string, Row>>;
  /**
   * Finds the rows that have words of a text and meet the filter as they are now: for each text a list, best first, at most `limit` long. {@link KeywordIndex} does it for a table with a tsvector.
   */
  findByKeywords(texts: readonly string[], limit: number): Promise<KeywordHit[][]>;
}
