import type { SqlSession } from '#database';
import { ErasurePlace, type PlaceFinding } from '../erasure-place.js';
import type { ErasureSubject } from '../erasure.js';
import { LEDGER_PLACE } from './index-places.js';

const LEFT = `
SELECT l.state, count(*)::int AS count FROM index_ledger l JOIN index_generations g ON g.id = l.generation_id
WHERE l.source_id = ANY($1::uuid[]) AND g.state <> 'retired' GROUP BY l.state ORDER BY l.state`;

/* Nobody works on these any more, and their last error may quote the text. */
const REMOVE_RETIRED = `
DELETE FROM index_ledger l USING index_generations g WHERE g.id = l.generation_id AND g.state = 'retired' AND l.source_id = ANY($1::uuid[])`;

/* What a person wrote about them. */
const REMOVE_MUTES = 'DELETE FROM dead_letter_mutes WHERE source_id = ANY($1::uuid[])';

/**
 * The entries of the ledger, with the hash of the text and the text of the last error. The relay removes them when it has read in the index that the point is
 * absent, after the grace in which a late write could bring it back: so this is also the proof that none can any more.
 */
export class LedgerPlace extends ErasurePlace {
  readonly name = LEDGER_PLACE;

  constructor(private readonly session: SqlSession) {
    super();
  }

  override get waitsForIndex(): boolean {
    return false;
  }

  async erase({ pointIds }: ErasureSubject): Promise<PlaceFinding[]> {
    const { rowCount } = await this.session.query(REMOVE_RETIRED, [pointIds]);
    await this.session.query(REMOVE_MUTES, [pointIds]);
    const { rows } = await this.session.query<{ state: string; count: number }>(LEFT, [pointIds]);
    if (rows.length === 0) return [{ isGone: true, removed: rowCount }];
    const detail = `waits for the relay: ${rows.map(({ state, count }) => `${count} ${state}`).join(', ')}`;
    return [{ isGone: false, removed: rowCount, detail }];
  }
}
