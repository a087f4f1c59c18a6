/** What a declared key of metadata holds. */
export type MetadataType = 'keyword' | 'number' | 'boolean';

/** The keys of metadata that filters may name. */
export type MetadataKeys = Readonly<Record<string, MetadataType>>;

export interface CollectionFields {
  /** 1 to 64 characters, unique. */
  readonly name: string;
  readonly description: string | null;
  /** Of documents that name none; `null` = it is detected. */
  readonly language: string | null;
  /** Longest chunk, tokens of the model, title and headings included; never more than the model reads. */
  readonly chunk_tokens: number;
  /** Of a paragraph that is longer than a chunk, so many tokens are repeated at the beginning of the next one; at most half of `chunk_tokens`. */
  readonly chunk_overlap_tokens: number;
  readonly metadata_keys: MetadataKeys;
}

/** A row of `collections`. */
export interface Collection extends CollectionFields {
  readonly id: string;
  readonly version: number;
  readonly created_at: string;
  readonly updated_at: string;
}

export type CollectionPatch = Partial<CollectionFields>;
