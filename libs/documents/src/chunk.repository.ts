import type { SqlSession } from '#database';
import type { PayloadValue } from '#vector-store';
import { UnitOfWork } from '#database';
import { Injectable } from '@nestjs/common';

/** What the index needs of a chunk. */
export interface IndexedChunk {
  readonly id: string;
  readonly context: string;
  readonly text: string;
  readonly payload: Readonly<Record<string, PayloadValue>>;
}

/** Reads `chunks`. */
@Injectable()
export class ChunkRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** The rows among `ids`, as the sync engine reads them: in the caller's snapshot. */
  async loadIn(session: SqlSession, ids: readonly string[]): Promise<IndexedChunk[]> {
    const { rows } = await session.query<IndexedChunk>('SELECT id, context, text, payload FROM chunks WHERE id = ANY($1::uuid[])', [ids]);
    return rows;
  }

  /** Ids in ascending order behind `after`. */
  async listIdsIn(session: SqlSession, after: string | null, limit: number): Promise<string[]> {
    const { rows } =
      after === null
        ? await session.query<{ id: string }>('SELECT id FROM chunks ORDER BY id LIMIT $1::int', [limit])
        : await session.query<{ id: string }>('SELECT id FROM chunks WHERE id > $2::uuid ORDER BY id LIMIT $1::int', [limit, after]);
    return rows.map(({ id }) => id);
  }

  /** Rows by the last two hex digits of their id. */
  async countByBucketIn(session: SqlSession): Promise<Map<string, number>> {
    const { rows } = await session.query<{ bucket: string; count: number }>(
      `SELECT encode(substring(uuid_send(id) FROM 16), 'hex') AS bucket, count(*)::integer AS count FROM chunks GROUP BY 1`,
    );
    return new Map(rows.map(({ bucket, count }) => [bucket, count]));
  }

  /** Chunks of these documents in their order, by document; those whose chunks are of an older version are absent. */
  async ofDocuments(documentIds: readonly string[]): Promise<Map<string, Pick<IndexedChunk, 'context' | 'text'>[]>> {
    const { rows } = await this.unitOfWork.query<{ document_id: string; context: string; text: string }>(
      `SELECT c.document_id, c.context, c.text FROM chunks c JOIN documents d ON d.id = c.document_id
       WHERE c.document_id = ANY($1::uuid[]) AND d.chunked_version = d.version ORDER BY c.document_id, c.ordinal`,
      [documentIds],
    );
    const chunks = new Map<string, Pick<IndexedChunk, 'context' | 'text'>[]>();
    for (const { document_id, ...chunk } of rows) chunks.set(document_id, [...(chunks.get(document_id) ?? []), chunk]);
    return chunks;
  }

  /** Ids of the chunks of a document, in their order. */
  async idsOf(documentId: string, session: SqlSession = this.unitOfWork): Promise<string[]> {
    const { rows } = await session.query<{ id: string }>('SELECT id FROM chunks WHERE document_id = $1::uuid ORDER BY ordinal', [
      documentId,
    ]);
    return rows.map(({ id }) => id);
  }
}
