import type { SqlSession } from '#database';
import type { PayloadIndex } from '#vector-store';
import { IndexSource, type IndexDocument } from '../src/index.js';

/** Projects in the smallest form: the description is the text, the complexity the payload. */
export class NoteSource extends IndexSource {
  readonly name = 'projects';
  templateRev = 't1';
  readonly payloadIndexes: readonly PayloadIndex[] = [{ field: 'complexity', type: 'integer' }];
  /** Called between the reading of the versions and that of the rows, inside the read transaction. */
  beforeLoad: () => Promise<void> = () => Promise.resolve();

  async load(ids: readonly string[], session: SqlSession): Promise<IndexDocument[]> {
    await this.beforeLoad();
    const { rows } = await session.query<{ id: string; description: string; complexity: number | null }>(
      'SELECT id, description, complexity FROM projects WHERE id = ANY($1::uuid[])',
      [ids],
    );
    return rows.map(({ id, description, complexity }) => ({ id, text: description, payload: { complexity } }));
  }

  async listIds(after: string | null, limit: number, session: SqlSession): Promise<string[]> {
    const { rows } = await session.query<{ id: string }>('SELECT id FROM projects WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2', [
      after,
      limit,
    ]);
    return rows.map(({ id }) => id);
  }

  async countByBucket(session: SqlSession): Promise<Map<string, number>> {
    const { rows } = await session.query<{ bucket: string; count: number }>(
      'SELECT right(id::text, 2) AS bucket, count(*)::integer AS count FROM projects GROUP BY 1',
    );
    return new Map(rows.map(({ bucket, count }) => [bucket, count]));
  }
}
