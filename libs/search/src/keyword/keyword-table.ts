/** Where the words of a kind of row are. Every text here becomes part of a statement: constants of the feature, never anything of a user. */
export interface KeywordTable {
  /** The table in schema public that has the column; its id is `id`, a uuid. */
  readonly table: string;
  /** What conditions call the table. Default: its name. */
  readonly alias?: string;
  /** Its tsvector, with a GIN index; labels A and B for what counts more than the rest. */
  readonly column: string;
  /** Text search configurations that rows are taken apart with: a word is looked for in the form that each gives it. */
  readonly configurations: readonly string[];
}

/** The two languages of the craft; PostgreSQL brings both. */
export const GERMAN_AND_ENGLISH = ['german', 'english'] as const;
