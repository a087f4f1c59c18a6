import type { UnitOfWork } from '#database';
import { DomainError, isUuid } from '#kernel';
import { markPending } from '../ledger/mark-pending.js';
import type { IndexRelay } from '../relay/index-relay.js';
import { countDeadLetters } from './count-dead-letters.js';
import type { DeadLetter, DeadLetterCount, DeadLetterPage, DeadLetterQuery, DeadLetterScope, DeadLetterSelection } from './dead-letter.js';
import { listDeadLetters, type DeadLetterPosition } from './list-dead-letters.js';

/** One page is one short statement: writers wait for none of them long. */
const REQUEUE_PAGE_SIZE = 500;

const MUTE = `
INSERT INTO dead_letter_mutes (generation_id, source_id, version, reason)
SELECT l.generation_id, l.source_id, l.version, $2 FROM index_ledger l JOIN index_generations g ON g.id = l.generation_id
WHERE l.state = 'dead' AND g.state <> 'retired' AND l.source_id = ANY($1::uuid[])
  AND ($3::int IS NULL OR g.id = $3) AND ($4::text IS NULL OR g.source = $4)
ON CONFLICT (generation_id, source_id) DO UPDATE SET version = EXCLUDED.version, reason = EXCLUDED.reason, muted_at = now()`;

const UNMUTE = `
DELETE FROM dead_letter_mutes m USING index_generations g
WHERE g.id = m.generation_id AND m.source_id = ANY($1::uuid[]) AND ($2::int IS NULL OR g.id = $2) AND ($3::text IS NULL OR g.source = $3)`;

/** Shows what has died, with its reason, and gives it another life. */
export class DeadLetters {
  /** @param relay is woken, so that what is requeued here is tried at once; relays of other processes find it with their next poll */
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly relay: Pick<IndexRelay, 'wake'>,
  ) {}

  /**
   * Lists a page of dead letters.
   *
   * @throws DomainError `request.invalid` when `after` is no cursor of this method
   */
  async list({ after, limit, ...filter }: DeadLetterQuery): Promise<DeadLetterPage> {
    const position = after === undefined ? null : parseCursor(after);
    const items = await listDeadLetters(this.unitOfWork, filter, position, limit + 1);
    const hasMore = items.length > limit;
    if (hasMore) items.pop();
    return { items, next: hasMore ? toCursor(items.at(-1)!) : null };
  }

  /** Counts dead letters by generation and error code. */
  async countByCode(): Promise<DeadLetterCount[]> {
    return countDeadLetters(this.unitOfWork);
  }

  /**
   * Makes dead entries pending again, with a new version, no attempts and nothing taken for granted (protocol rule 7, by the statement of rule 9).
   *
   * Page by page, each in its own transaction. What a writer has locked is left out, because its change revives the entry anyway; when that is rolled
   * back the entry is still dead and is listed again. Ids that are unknown or not dead are left out as well.
   */
  async requeue(selection: DeadLetterScope & DeadLetterSelection): Promise<{ requeued: number }> {
    const { source, generationId } = selection;
    const filter = {
      source,
      generationId,
      code: 'code' in selection ? selection.code : undefined,
      ids: 'ids' in selection ? selection.ids : undefined,
    };
    let requeued = 0;
    for (let after: DeadLetterPosition | null = null; ;) {
      const page: DeadLetter[] = await listDeadLetters(this.unitOfWork, filter, after, REQUEUE_PAGE_SIZE);
      requeued += await this.requeuePage(page);
      if (page.length < REQUEUE_PAGE_SIZE) break;
      after = page.at(-1)!;
    }
    if (requeued > 0) this.relay.wake();
    return { requeued };
  }

  /**
   * Takes dead letters out of counts and alerts until their row changes or they are requeued; muted ones get the new reason. Ids that are unknown or not
   * dead are left out. They still hold up the switch of a generation.
   */
  async mute(ids: readonly string[], reason: string, { source, generationId }: DeadLetterScope = {}): Promise<{ muted: number }> {
    const { rowCount } = await this.unitOfWork.query(MUTE, [ids, reason, generationId ?? null, source ?? null]);
    return { muted: rowCount };
  }

  /** Lets muted dead letters count again. */
  async unmute(ids: readonly string[], { source, generationId }: DeadLetterScope = {}): Promise<{ unmuted: number }> {
    const { rowCount } = await this.unitOfWork.query(UNMUTE, [ids, generationId ?? null, source ?? null]);
    return { unmuted: rowCount };
  }

  private async requeuePage(page: readonly DeadLetter[]): Promise<number> {
    let requeued = 0;
    for (const generationId of new Set(page.map((letter) => letter.generationId))) {
      const suspects = page
        .filter((letter) => letter.generationId === generationId)
        .map(({ sourceId }) => ({ sourceId, seenVersion: null, pointRev: null }));
      requeued += (await markPending(this.unitOfWork, generationId, suspects, { states: ['dead'] })).length;
    }
    return requeued;
  }
}

function toCursor({ generationId, sourceId }: DeadLetterPosition): string {
  return `${generationId}.${sourceId}`;
}

function parseCursor(cursor: string): DeadLetterPosition {
  const [, generation, sourceId] = /^(\d{1,9})\.(.+)$/.exec(cursor) ?? [];
  if (generation === undefined || sourceId === undefined || !isUuid(sourceId))
    throw new DomainError('request.invalid', { detail: 'The cursor is not one that this list has given' });
  return { generationId: Number(generation), sourceId };
}
