import type { SqlSession } from '#database';
import { ErasurePlace, type PlaceFinding } from '../erasure-place.js';
import type { ErasureSubject } from '../erasure.js';

/* The key stays taken: freed, a request that is sent once more would make the row again. */
const BLANK = `
UPDATE idempotency_keys SET body = json_build_object('id', $1::uuid)::text
WHERE position($1::text IN body) > 0 AND body <> json_build_object('id', $1::uuid)::text`;

const LEFT = `
SELECT count(*)::int AS count FROM idempotency_keys WHERE position($1::text IN body) > 0 AND body <> json_build_object('id', $1::uuid)::text`;

/** Answers to writes that are kept for their repetition (Idempotency-Key): they hold the row as it was written. */
export class StoredAnswersPlace extends ErasurePlace {
  readonly name = 'stored-answers';

  constructor(private readonly session: SqlSession) {
    super();
  }

  async erase({ targetId }: ErasureSubject): Promise<PlaceFinding[]> {
    const { rowCount } = await this.session.query(BLANK, [targetId]);
    const { rows } = await this.session.query<{ count: number }>(LEFT, [targetId]);
    return [{ isGone: rows[0]!.count === 0, removed: rowCount }];
  }
}
