import type { Provenance } from '#search';
import type { Citation } from '../answer.js';
import { languageOf } from '../language-of.js';

export const SEARCH_UNAVAILABLE = 'Document search temporarily unavailable';
export const GENERATION_UNAVAILABLE = 'Generated answers temporarily unavailable';

export interface ChatReply {
  readonly reply: string;
  /** `limited`: the documents could not be looked into. */
  readonly mode: 'generated' | 'extractive' | 'limited';
  readonly citations: readonly Citation[];
  /** To be named by the next message. */
  readonly conversation_id: string;
  /** Whether something less than index and model answered, or nothing did. */
  readonly degraded: boolean;
  /** Who found the passages; `keyword`: neither index nor copy, but words alone; `null` = nobody could look. */
  readonly source: Provenance['source'] | null;
  /** To be shown to people. */
  readonly notice?: string;
}

const LIMITED = {
  de: 'Die Dokumente können gerade nicht durchsucht werden. Bitte stellen Sie Ihre Frage in einigen Minuten noch einmal.',
  en: 'The documents cannot be searched at the moment. Please ask your question again in a few minutes.',
} as const;

/** What is said when nothing can be looked up, in the language of the message. */
export function limitedReply(message: string, conversationId: string): ChatReply {
  return {
    reply: LIMITED[languageOf(message)],
    mode: 'limited',
    citations: [],
    conversation_id: conversationId,
    degraded: true,
    source: null,
    notice: SEARCH_UNAVAILABLE,
  };
}
