import { timestampColumn, UnitOfWork } from '#database';
import { GERMAN_AND_ENGLISH, KeywordIndex, type KeywordHit, type KeywordTable } from '#search';
import { Injectable } from '@nestjs/common';
import type { FoundChunk, FoundDocument } from './found-chunk.js';
import { sqlConditionsOf, type ChunkFilter } from './metadata-filter.js';

const FOUND_COLUMNS = [
  'k.id AS chunk_id, k.ordinal, k.start_offset, k.end_offset, k.context, k.text, k.language AS chunk_language',
  'd.id, d.collection_id, c.name AS collection, d.title, d.kind, d.external_id, d.source_uri, d.language, d.metadata, d.version',
  timestampColumn('d.created_at'),
  timestampColumn('d.updated_at'),
].join(', ');

/** What an older version said is never shown; while chunks are made anew for another reason (NULL), those there are say what the document says. */
const IS_CURRENT = 'coalesce(d.chunked_version, d.version) = d.version';
/* The same without a join: documents that are not current are few, and a partial index has them. */
const IS_OF_CURRENT =
  'k.document_id NOT IN (SELECT id FROM documents WHERE chunked_version IS DISTINCT FROM version AND chunked_version IS NOT NULL)';

/** Where the words of chunks are, in the configurations that the trigger of `chunks.search_text` uses. */
const CHUNK_KEYWORDS: KeywordTable = {
  table: 'chunks',
  alias: 'k',
  column: 'search_text',
  configurations: [...GERMAN_AND_ENGLISH, 'simple'],
};

interface FoundRecord extends Omit<FoundDocument, 'created_at' | 'updated_at'> {
  readonly chunk_id: string;
  readonly ordinal: number;
  readonly start_offset: number;
  readonly end_offset: number;
  readonly context: string;
  readonly text: string;
  readonly chunk_language: string | null;
  readonly created_at_text: string;
  readonly updated_at_text: string;
}

/** What a search reads of chunks: their rows, and their words. */
@Injectable()
export class ChunkSearchRepository {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly keywords: KeywordIndex,
  ) {}

  /** The chunks that exist, say what their document says now and meet the filter, by id, in one statement. */
  async findMatching(ids: readonly string[], filter: ChunkFilter): Promise<Map<string, FoundChunk>> {
    const parameters: unknown[] = [ids];
    const conditions = ['k.id = ANY($1::uuid[])', IS_CURRENT, ...sqlConditionsOf(filter, parameters)];
    const { rows } = await this.unitOfWork.query<FoundRecord>(
      `SELECT ${FOUND_COLUMNS} FROM chunks k JOIN documents d ON d.id = k.document_id JOIN collections c ON c.id = d.collection_id
       WHERE ${conditions.join(' AND ')}`,
      parameters,
    );
    return new Map(rows.map((row) => [row.chunk_id, foundChunkOf(row)]));
  }

  /** The chunks that have words of a text and say what their document says now, best first, one list per text; as `RowFinder.findByKeywords`. */
  async findByKeywords(texts: readonly string[], limit: number, filter: ChunkFilter): Promise<KeywordHit[][]> {
    const conditionsOf = (parameters: unknown[]) => [IS_OF_CURRENT, ...sqlConditionsOf(filter, parameters)];
    return this.keywords.find(CHUNK_KEYWORDS, { texts, limit, conditionsOf });
  }
}

function foundChunkOf(row: FoundRecord): FoundChunk {
  const { chunk_id, ordinal, start_offset, end_offset, context, text, chunk_language, created_at_text, updated_at_text, ...document } = row;
  return {
    id: chunk_id,
    ordinal,
    start: start_offset,
    end: end_offset,
    context,
    text,
    language: chunk_language,
    document: { ...document, created_at: created_at_text, updated_at: updated_at_text },
  };
}
