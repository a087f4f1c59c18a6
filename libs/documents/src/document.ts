import type { JsonValue } from '#kernel';

/** Name of the source: argument of the capture triggers and `index_generations.source`. What it indexes are the chunks. */
export const DOCUMENT_SOURCE = 'documents';

/** Any JSON object; only the keys that the collection declares can be filtered by. */
export type DocumentMetadata = Readonly<Record<string, JsonValue>>;

/** What a client writes: everything but what PostgreSQL decides. snake_case, because it is the JSON of the API and the row alike. */
export interface DocumentFields {
  readonly title: string;
  readonly content: string;
  /** For example `faq`. */
  readonly kind: string | null;
  /** The id that another system has given to the document; unique within the collection. */
  readonly external_id: string | null;
  readonly source_uri: string | null;
  /** BCP 47, for example `de` or `de-AT`; `null` = that of the collection, else detected. */
  readonly language: string | null;
  readonly metadata: DocumentMetadata;
}

/** A document on its way into the table. */
export interface NewDocument extends DocumentFields {
  readonly collection_id: string;
  /** `undefined` = one is made, a uuid v7; a document of the same external id keeps its own. */
  readonly id?: string | undefined;
}

/** A row of `documents`. */
export interface Document extends DocumentFields {
  /** A UUID in lower case. */
  readonly id: string;
  readonly collection_id: string;
  /** Name of the collection. */
  readonly collection: string;
  /** Grows by one with every update; the ETag is `"v<version>"`. */
  readonly version: number;
  /** The version that the chunks were made from; an older one (0 = none) = searches do not find the document yet; `null` = they are being made, and any that are there still hold. */
  readonly chunked_version: number | null;
  /** RFC 3339 in UTC with microseconds, so that no digit that PostgreSQL sorts by is lost. */
  readonly created_at: string;
  readonly updated_at: string;
}

/** A merge patch (RFC 7396): absent = unchanged, `null` = cleared. `metadata` is replaced as a whole. */
export type DocumentPatch = Partial<DocumentFields>;
