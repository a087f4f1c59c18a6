import type { SqlSession } from '#database';
import { IndexSource, type IndexDocument } from '#sync';
import type { PayloadIndex } from '#vector-store';
import { Injectable } from '@nestjs/common';
import { CHUNK_TEMPLATE_REV, renderChunk } from './chunk.js';
import { CHUNK_PAYLOAD_INDEXES } from './chunk-payload.js';
import { ChunkRepository } from './chunk.repository.js';
import { DOCUMENT_SOURCE } from './document.js';

/** Chunks as the sync engine sees them. Everything comes from their own rows: what the capture triggers see is all that can change a point. */
@Injectable()
export class DocumentIndexSource extends IndexSource {
  readonly name = DOCUMENT_SOURCE;
  readonly templateRev = CHUNK_TEMPLATE_REV;
  readonly payloadIndexes: readonly PayloadIndex[] = CHUNK_PAYLOAD_INDEXES;

  constructor(private readonly chunks: ChunkRepository) {
    super();
  }

  async load(ids: readonly string[], session: SqlSession): Promise<IndexDocument[]> {
    const chunks = await this.chunks.loadIn(session, ids);
    return chunks.map((chunk) => ({ id: chunk.id, text: renderChunk(chunk), payload: chunk.payload }));
  }

  async listIds(after: string | null, limit: number, session: SqlSession): Promise<string[]> {
    return this.chunks.listIdsIn(session, after, limit);
  }

  async countByBucket(session: SqlSession): Promise<Map<string, number>> {
    return this.chunks.countByBucketIn(session);
  }
}
