import { Clock, DomainError, IdGenerator, RepeatedMessages } from '#kernel';
import type { Provenance } from '#search';
import { Injectable, Logger } from '@nestjs/common';
import type { Answer } from '../answer.js';
import { AnswerService } from '../generation/answer.service.js';
import { QueryService } from '../query.service.js';
import { GENERATION_UNAVAILABLE, limitedReply, type ChatReply } from './chat-reply.js';
import type { Conversation } from './conversation.js';
import { ConversationRepository } from './conversation.repository.js';
import { retrievalTextOf } from './follow-up.js';

export interface ChatMessage {
  readonly message: string;
  /** `null` = a new conversation. */
  readonly conversationId: string | null;
  /** Name or id; `null` = all of them. */
  readonly collection: string | null;
}

/** An answer, and who found its passages. */
interface SourcedAnswer extends Pick<Provenance, 'isDegraded' | 'source'> {
  readonly answer: Answer;
}

/** Passages that a reply is made of. */
const PASSAGES = 5;
const CHUNKS_PER_DOCUMENT = 2;
/** Messages before the new one that are read; how many of them a prompt has room for is decided there. */
const HISTORY_MESSAGES = 20;

/** Replies to messages from documents, and keeps what was said. */
@Injectable()
export class ChatService {
  private readonly logger = new Logger('Chat');
  private readonly messages: RepeatedMessages;

  constructor(
    private readonly queries: QueryService,
    private readonly answers: AnswerService,
    private readonly conversations: ConversationRepository,
    private readonly ids: IdGenerator,
    clock: Clock,
  ) {
    this.messages = new RepeatedMessages(clock);
  }

  /**
   * Always replies, whatever is away: limited when the documents or what was said before cannot be read, for a reply that has forgotten the conversation would
   * be a wrong one; and as ever when what is said now cannot be kept.
   *
   * @throws DomainError `collections.unknown`; the signal's reason when it is aborted
   */
  async reply(message: ChatMessage, signal: AbortSignal): Promise<ChatReply> {
    const conversationId = message.conversationId ?? this.ids.uuid();
    let history: Conversation | null;
    let said: SourcedAnswer;
    try {
      history = message.conversationId === null ? null : await this.conversations.find(conversationId, HISTORY_MESSAGES);
      said = await this.answer(message, history, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof DomainError && error.code === 'collections.unknown') throw error;
      this.note('search', 'A chat was answered without the documents', error);
      return limitedReply(message.message, conversationId);
    }
    const { answer, isDegraded, source } = said;
    await this.keep(conversationId, message.message, answer, history !== null);
    return {
      reply: answer.text,
      mode: answer.mode,
      citations: answer.citations,
      conversation_id: conversationId,
      degraded: isDegraded,
      source,
      ...(answer.fallback === 'provider_unavailable' ? { notice: GENERATION_UNAVAILABLE } : {}),
    };
  }

  /** @throws DomainError `conversations.not-found`, and those of the database */
  async read(id: string): Promise<Conversation> {
    const found = await this.conversations.find(id);
    if (found === null) throw new DomainError('conversations.not-found');
    return found;
  }

  /** @throws DomainError `conversations.not-found`, and those of the database */
  async delete(id: string): Promise<void> {
    if (!(await this.conversations.delete(id))) throw new DomainError('conversations.not-found');
  }

  private async answer({ message, collection }: ChatMessage, history: Conversation | null, signal: AbortSignal): Promise<SourcedAnswer> {
    const said = history?.messages ?? [];
    const earlier = said.filter(({ role }) => role === 'user').map(({ content }) => content);
    const searched = retrievalTextOf(message, earlier);
    const { passages, index, isDegraded, source } = await this.queries.find({
      query: searched,
      topK: PASSAGES,
      collection,
      kind: null,
      filter: null,
      threshold: null,
      mode: 'hybrid',
      chunksPerDocument: CHUNKS_PER_DOCUMENT,
    });
    const generation = index?.generation ?? null;
    const answer = await this.answers.answer({ question: message, searched, passages, conversation: said, generation, isDegraded, signal });
    return { answer, isDegraded, source };
  }

  private async keep(id: string, message: string, reply: Answer, isKnown: boolean): Promise<void> {
    try {
      await this.conversations.append(id, { message, reply }, isKnown);
    } catch (error) {
      this.note('history', 'A chat was not kept', error);
    }
  }

  /** A dependency that is away is said once a minute; a defect always. */
  private note(key: string, what: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (!(error instanceof DomainError)) this.logger.error({ msg: what, err: error });
    else {
      const text = this.messages.pass(key, `${what}: ${reason}`);
      if (text !== null) this.logger.warn(text);
    }
  }
}
