import type { SqlSession } from '#database';
import { ErasurePlace, type PlaceFinding } from '../erasure-place.js';
import type { ErasureSubject } from '../erasure.js';

/* A text that another row has, too, is that row's as well. */
const REMOVE = `
DELETE FROM embedding_cache c WHERE c.text_hash = ANY($1::bytea[]) AND NOT EXISTS (SELECT FROM index_ledger l WHERE l.indexed_hash = c.text_hash)`;

const LEFT = `
SELECT count(*)::int AS kept, (count(*) FILTER (WHERE NOT EXISTS (SELECT FROM index_ledger l WHERE l.indexed_hash = c.text_hash)))::int AS unused
FROM embedding_cache c WHERE c.text_hash = ANY($1::bytea[])`;

const EARLIER = 'vectors of earlier wordings are not known by the row any more; unused ones leave the cache within 30 days';

/** Vectors of the row's texts that no other row needs. */
export class EmbeddingCachePlace extends ErasurePlace {
  readonly name = 'embedding-cache';

  constructor(private readonly session: SqlSession) {
    super();
  }

  async erase({ textHashes }: ErasureSubject): Promise<PlaceFinding[]> {
    const { rowCount } = await this.session.query(REMOVE, [textHashes]);
    const { rows } = await this.session.query<{ kept: number; unused: number }>(LEFT, [textHashes]);
    const { kept, unused } = rows[0]!;
    const detail = kept === 0 ? EARLIER : `${kept} kept, because other rows have the same text; ${EARLIER}`;
    return [{ isGone: unused === 0, removed: rowCount, detail }];
  }
}
