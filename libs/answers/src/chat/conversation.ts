import type { Answer, Citation } from '../answer.js';

export interface ConversationMessage {
  readonly role: 'user' | 'assistant';
  readonly content: string;
  /** How a reply was made; `null` = it is no reply. */
  readonly mode: Answer['mode'] | null;
  readonly citations: readonly Citation[];
  /** RFC 3339 in UTC with microseconds. */
  readonly created_at: string;
}

export interface Conversation {
  readonly id: string;
  readonly created_at: string;
  /** Of the last message. */
  readonly updated_at: string;
  /** Oldest first; of a long conversation the latest. */
  readonly messages: readonly ConversationMessage[];
}

/** A message and the reply to it: stored together, and never torn apart by another exchange. */
export interface Exchange {
  readonly message: string;
  readonly reply: Answer;
}
