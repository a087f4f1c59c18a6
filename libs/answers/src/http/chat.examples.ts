import { SEARCH_UNAVAILABLE } from '../chat/chat-reply.js';
import { QUERY_REPLY_EXAMPLE } from './query.examples.js';

/** Examples of the OpenAPI document; a test validates each against its schema. */
const CONVERSATION_ID = '3f0f6c1e-5a4d-4b8e-9d55-0f6f3b0c2a11';
const { text, citations } = QUERY_REPLY_EXAMPLE.answer;

export const CHAT_MESSAGE_EXAMPLE = { message: 'Which wood for stairs?', collection: 'craft-faq' };
export const CHAT_FOLLOW_UP_EXAMPLE = { message: 'And how often is it oiled?', conversation_id: CONVERSATION_ID };

export const CHAT_REPLY_EXAMPLE = {
  reply: text,
  mode: 'extractive',
  citations,
  conversation_id: CONVERSATION_ID,
  degraded: false,
  source: 'local',
};
export const LIMITED_CHAT_REPLY_EXAMPLE = {
  reply: 'The documents cannot be searched at the moment. Please ask your question again in a few minutes.',
  mode: 'limited',
  citations: [],
  conversation_id: CONVERSATION_ID,
  degraded: true,
  source: null,
  notice: SEARCH_UNAVAILABLE,
};

export const CONVERSATION_EXAMPLE = {
  id: CONVERSATION_ID,
  created_at: '2026-11-25T08:00:00.123456Z',
  updated_at: '2026-11-25T08:00:00.123456Z',
  messages: [
    {
      role: 'user',
      content: CHAT_MESSAGE_EXAMPLE.message,
      mode: null,
      citations: [],
      created_at: '2026-11-25T08:00:00.123456Z',
    },
    { role: 'assistant', content: text, mode: 'extractive', citations, created_at: '2026-11-25T08:00:00.123789Z' },
  ],
};
