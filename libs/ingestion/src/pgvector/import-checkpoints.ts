import type { SqlSession } from '#database';
import type { ColumnMapping } from './column-mapping.js';

export interface ImportCheckpoint {
  /** Everything up to this id has been dealt with. */
  readonly lastId: string;
  /** So far, over all runs since the one that began at the first row. */
  readonly rowsRead: number;
  readonly rowsRefused: number;
}

export interface StoredCheckpoint extends ImportCheckpoint {
  readonly mapping: ColumnMapping;
}

const READ = `
SELECT mapping, last_id AS "lastId", rows_read::float8 AS "rowsRead", rows_refused::float8 AS "rowsRefused"
FROM pgvector_imports WHERE source = $1 AND collection = $2`;
const WRITE = `
INSERT INTO pgvector_imports (source, collection, mapping, last_id, rows_read, rows_refused) VALUES ($1, $2, $3::jsonb, $4, $5, $6)
ON CONFLICT (source, collection) DO UPDATE SET mapping = EXCLUDED.mapping, last_id = EXCLUDED.last_id, rows_read = EXCLUDED.rows_read,
  rows_refused = EXCLUDED.rows_refused, updated_at = now()`;

/** Remembers how far the import from one table into one collection has come. */
export class ImportCheckpoints {
  constructor(
    private readonly source: string,
    private readonly collection: string,
    private readonly mapping: ColumnMapping,
  ) {}

  /** @returns `null` when there was no import yet */
  async read(session: SqlSession): Promise<StoredCheckpoint | null> {
    const { rows } = await session.query<StoredCheckpoint>(READ, [this.source, this.collection]);
    return rows[0] ?? null;
  }

  /** To be called in the transaction of the rows. */
  async write(session: SqlSession, { lastId, rowsRead, rowsRefused }: ImportCheckpoint): Promise<void> {
    await session.query(WRITE, [this.source, this.collection, JSON.stringify(this.mapping), lastId, rowsRead, rowsRefused]);
  }
}
