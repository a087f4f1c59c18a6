import { AnswersConfig } from '#config';
import { UnitOfWork } from '#database';
import { ErasurePlace, type ErasureSubject, type PlaceFinding } from '#erasure';
import { Injectable } from '@nestjs/common';

/* Whole conversations: what follows a reply may repeat it without citing anything. */
const REMOVE = `
DELETE FROM conversations c WHERE EXISTS (
  SELECT FROM conversation_messages m WHERE m.conversation_id = c.id AND m.citations @> jsonb_build_array(jsonb_build_object('document_id', $1::text))
)`;

const LEFT = `
SELECT count(*)::int AS count FROM conversation_messages WHERE citations @> jsonb_build_array(jsonb_build_object('document_id', $1::text))`;

/** For an answer that takes no model, from its passages to the stored reply. */
const EXTRACTIVE_MS = 5_000;

/** Chats in which a reply cites the document. A reply that was being written when the document went is waited for. */
@Injectable()
export class ConversationsPlace extends ErasurePlace {
  readonly name = 'conversations';

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly config: AnswersConfig,
  ) {
    super();
  }

  async erase({ kind, targetId, requestedAt }: ErasureSubject): Promise<PlaceFinding[]> {
    if (kind !== 'document') return [{ isGone: true, detail: 'answers are made from documents only' }];
    const { rowCount } = await this.unitOfWork.query(REMOVE, [targetId]);
    const { rows } = await this.unitOfWork.query<{ count: number; age_ms: number }>(
      `SELECT l.count, extract(epoch FROM clock_timestamp() - $2::timestamptz)::double precision * 1000 AS age_ms FROM (${LEFT}) l`,
      [targetId, requestedAt],
    );
    const { count, age_ms: ageMs } = rows[0]!;
    const settleMs = EXTRACTIVE_MS + (this.config.openAi?.timeoutMs ?? 0);
    if (Number(ageMs) < settleMs) return [{ isGone: false, removed: rowCount, detail: 'waits for replies that were being written' }];
    return [{ isGone: count === 0, removed: rowCount }];
  }
}
