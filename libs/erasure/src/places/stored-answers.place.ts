import type { SqlSession } from '#database';
import { DomainError } from '#kernel';
import { ErasurePlace, type PlaceFinding } from '../erasure-place.js';
import type { ErasureSubject } from '../erasure.js';

/* A refusal (status 0) holds no row. */
const HOLDS = `status <> 0 AND position($1::text IN body) > 0`;

/* The key stays taken: freed, a request that is sent once more would make the row again. */
const REFUSE = `UPDATE idempotency_keys SET status = 0, headers = '{}', body = $2 WHERE ${HOLDS}`;

const LEFT = `SELECT count(*)::int AS count FROM idempotency_keys WHERE ${HOLDS}`;

/** Answers to writes that are kept for their repetition (Idempotency-Key): they hold the row as it was written. A repetition is refused from now on. */
export class StoredAnswersPlace extends ErasurePlace {
  readonly name = 'stored-answers';

  constructor(private readonly session: SqlSession) {
    super();
  }

  async erase({ targetId }: ErasureSubject): Promise<PlaceFinding[]> {
    const { code, detail, fields } = new DomainError('idempotency.answer-erased');
    const { rowCount } = await this.session.query(REFUSE, [targetId, JSON.stringify({ code, detail, fields })]);
    const { rows } = await this.session.query<{ count: number }>(LEFT, [targetId]);
    return [{ isGone: rows[0]!.count === 0, removed: rowCount }];
  }
}
