import type { UnitOfWork } from '#database';
import type { ScheduledTask } from '../scheduled-task.js';

const KEEP_DAYS = 30;
/** Short transactions: a relay that needs one of these vectors waits for one batch at most, and not at all thanks to SKIP LOCKED on its side. */
const BATCH_DEFAULT = 1_000;

/*
 * Vectors that no entry of any generation names, oldest use first told by a day's exactness (see cache/read-vectors). In order of the key from where
 * the last batch ended, so that what is kept is looked at once. SKIP LOCKED: a relay may just be touching one, which is a reason to keep it. A hash
 * that a pending row is about to use may be lost: it is embedded again.
 */
const PURGE = `
WITH unused AS (
  SELECT c.text_hash FROM embedding_cache c
  WHERE c.text_hash > $1 AND c.last_used_at < now() - $2::double precision * interval '1 day'
    AND NOT EXISTS (SELECT FROM index_ledger l WHERE l.indexed_hash = c.text_hash)
  ORDER BY c.text_hash LIMIT $3 FOR UPDATE SKIP LOCKED
)
DELETE FROM embedding_cache c USING unused WHERE c.text_hash = unused.text_hash RETURNING c.text_hash`;

/** Removes cached vectors that nothing has used for 30 days and no index entry names. */
export class CachePurgeTask implements ScheduledTask {
  readonly name = 'cache-purge';

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly batchSize = BATCH_DEFAULT,
  ) {}

  async run(signal: AbortSignal): Promise<{ removed: number }> {
    let removed = 0;
    let after: Buffer = Buffer.alloc(0);
    for (;;) {
      signal.throwIfAborted();
      const { rows } = await this.unitOfWork.query<{ text_hash: Buffer }>(PURGE, [after, KEEP_DAYS, this.batchSize]);
      removed += rows.length;
      if (rows.length < this.batchSize) return { removed };
      after = rows.map(({ text_hash }) => text_hash).reduce((one, other) => (Buffer.compare(one, other) > 0 ? one : other));
    }
  }
}
