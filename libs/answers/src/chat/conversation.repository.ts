import { AnswersConfig } from '#config';
import { timestampColumn, UnitOfWork, type SqlSession } from '#database';
import { Injectable } from '@nestjs/common';
import type { Conversation, ConversationMessage, Exchange } from './conversation.js';

/** Of a longer conversation the oldest messages are removed. */
const MESSAGES_MAXIMUM = 200;
/** Expired conversations that one write removes: more than one write can make, so that their number never grows. */
const PURGE_BATCH = 20;

const CREATED_AT = timestampColumn('created_at');
const UPDATED_AT = timestampColumn('updated_at');
/* Expired is gone, whether it has been removed yet or not. */
const isAlive = (days: string) => `updated_at > now() - make_interval(days => ${days}::int)`;
const IS_ALIVE = isAlive('$2');

const FORGET = `DELETE FROM conversations WHERE id = $1::uuid AND NOT (${IS_ALIVE})`;

/*
 * An array, so that each is looked up by its id: with IN the planner may read all conversations. Those that another transaction holds are its own to
 * remove; nobody waits for them.
 */
const PURGE = `
DELETE FROM conversations WHERE id = ANY(ARRAY(
  SELECT id FROM conversations WHERE NOT (${isAlive('$1')}) ORDER BY updated_at LIMIT ${PURGE_BATCH} FOR UPDATE SKIP LOCKED
))`;

/* The row lock is what puts exchanges at the same time in an order; it is held for the rest of a short transaction. */
const ENTER = {
  new: `
INSERT INTO conversations AS c (id, message_count) VALUES ($1::uuid, 2)
ON CONFLICT (id) DO UPDATE SET message_count = c.message_count + 2, updated_at = clock_timestamp() RETURNING message_count`,
  known: `UPDATE conversations SET message_count = message_count + 2, updated_at = clock_timestamp() WHERE id = $1::uuid RETURNING message_count`,
};

const ADD = `
INSERT INTO conversation_messages (conversation_id, ordinal, role, content, mode, citations)
VALUES ($1::uuid, $2::int, 'user', $3::text, NULL, '[]'), ($1::uuid, $2::int + 1, 'assistant', $4::text, $5::text, $6::jsonb)`;

const TRIM = `DELETE FROM conversation_messages WHERE conversation_id = $1::uuid AND ordinal < $2::int`;

/* Newest first by the primary key, so that a long conversation costs no more than a short one. */
const READ = `
SELECT role, content, mode, citations, ${CREATED_AT} FROM conversation_messages WHERE conversation_id = $1::uuid ORDER BY ordinal DESC LIMIT $2::int`;

type MessageRecord = Omit<ConversationMessage, 'created_at'> & { readonly created_at_text: string };

/** Reads and writes `conversations` and their messages. */
@Injectable()
export class ConversationRepository {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly config: AnswersConfig,
  ) {}

  /** With its messages, at most `limit` of the latest. @returns `null` when there is none, or it has expired */
  async find(id: string, limit = MESSAGES_MAXIMUM): Promise<Conversation | null> {
    const { rows } = await this.unitOfWork.query<{ created_at_text: string; updated_at_text: string }>(
      `SELECT ${CREATED_AT}, ${UPDATED_AT} FROM conversations WHERE id = $1::uuid AND ${IS_ALIVE}`,
      [id, this.config.historyDays],
    );
    const [found] = rows;
    if (found === undefined) return null;
    const { rows: messages } = await this.unitOfWork.query<MessageRecord>(READ, [id, limit]);
    return {
      id,
      created_at: found.created_at_text,
      updated_at: found.updated_at_text,
      messages: messages.toReversed().map(({ created_at_text, ...message }) => ({ ...message, created_at: created_at_text })),
    };
  }

  /**
   * Adds an exchange behind whatever is there, and removes what has expired, of this and a few other conversations.
   *
   * @param isKnown whether the conversation was there when the message came: then one that was deleted meanwhile stays deleted
   */
  async append(id: string, exchange: Exchange, isKnown: boolean): Promise<void> {
    const { historyDays } = this.config;
    await this.unitOfWork.run(async (session) => {
      // The only row that is waited for comes first, while nothing is held: so no two of these can wait for each other.
      await session.query(FORGET, [id, historyDays]);
      const { rows } = await session.query<{ message_count: number }>(isKnown ? ENTER.known : ENTER.new, [id]);
      if (rows[0] !== undefined) await this.add(session, id, rows[0].message_count, exchange);
      await session.query(PURGE, [historyDays]);
    });
  }

  /** With its messages. @returns whether there was one */
  async delete(id: string): Promise<boolean> {
    const { rows } = await this.unitOfWork.query(`DELETE FROM conversations WHERE id = $1::uuid RETURNING ${IS_ALIVE} AS is_alive`, [
      id,
      this.config.historyDays,
    ]);
    return rows[0]?.['is_alive'] === true;
  }

  private async add(session: SqlSession, id: string, messageCount: number, { message, reply }: Exchange): Promise<void> {
    await session.query(ADD, [id, messageCount - 2, message, reply.text, reply.mode, JSON.stringify(reply.citations)]);
    if (messageCount > MESSAGES_MAXIMUM) await session.query(TRIM, [id, messageCount - MESSAGES_MAXIMUM]);
  }
}
