import type { SqlSession } from '#database';
import type { Collection } from './collection.js';
import type { ChunkSettings, DocumentContent } from './document-chunker.js';

/** A document whose chunks are to be made, with the settings of its collection. */
export interface UnchunkedDocument {
  readonly document: DocumentContent & { readonly version: number };
  readonly settings: ChunkSettings & Pick<Collection, 'id' | 'version'>;
}

/*
 * SKIP LOCKED, and a lease by the database's clock: many processes share the work, and what a dead one had is free again when its lease is over.
 * The partial index has only what is open, so a claim costs the same from one document and from a million.
 */
const CLAIM = `
WITH open AS (
  SELECT id FROM documents
  WHERE chunked_version IS DISTINCT FROM version AND (chunking_until IS NULL OR chunking_until < clock_timestamp())
  ORDER BY id LIMIT $1::int FOR UPDATE SKIP LOCKED
), claimed AS (
  UPDATE documents d SET chunking_until = clock_timestamp() + $2::double precision * interval '1 millisecond' FROM open WHERE d.id = open.id
  RETURNING d.id, d.collection_id, d.title, d.content, d.kind, d.language, d.metadata, d.version
)
SELECT claimed.*, c.version AS collection_version, c.language AS collection_language, c.chunk_tokens, c.chunk_overlap_tokens, c.metadata_keys
FROM claimed JOIN collections c ON c.id = claimed.collection_id ORDER BY claimed.id`;

/* SKIP LOCKED: a row that somebody else is writing gets free with that write. */
const RELEASE = `
UPDATE documents d SET chunking_until = NULL FROM (
  SELECT d.id FROM documents d JOIN unnest($1::uuid[], $2::int[]) AS read (id, version) ON read.id = d.id AND read.version = d.version
  WHERE d.chunked_version IS DISTINCT FROM d.version FOR UPDATE OF d SKIP LOCKED
) AS open WHERE d.id = open.id`;

interface ClaimedRow extends DocumentContent, Omit<ChunkSettings, 'language'> {
  readonly version: number;
  readonly collection_version: number;
  readonly collection_language: string | null;
}

/** Takes documents that have no chunks of their present version, for `leaseMs`. */
export async function claimUnchunked(session: SqlSession, limit: number, leaseMs: number): Promise<UnchunkedDocument[]> {
  const { rows } = await session.query<ClaimedRow>(CLAIM, [limit, leaseMs]);
  return rows.map((row) => ({
    document: row,
    settings: {
      id: row.collection_id,
      version: row.collection_version,
      language: row.collection_language,
      chunk_tokens: row.chunk_tokens,
      chunk_overlap_tokens: row.chunk_overlap_tokens,
      metadata_keys: row.metadata_keys,
    },
  }));
}

/** Gives claimed documents back that have got no chunks for a reason that is not theirs, so that nobody waits for the end of the lease. */
export async function releaseUnchunked(session: SqlSession, documents: readonly UnchunkedDocument[]): Promise<void> {
  if (documents.length === 0) return;
  await session.query(RELEASE, [documents.map(({ document }) => document.id), documents.map(({ document }) => document.version)]);
}
