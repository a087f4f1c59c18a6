import { collectionReference } from '#documents';
import { storableText } from '#rules';
import { isUuid } from '#kernel';
import { freshnessFields } from '#search';
import { z } from 'zod';
import { citationSchema } from './query.schemas.js';

const MESSAGE_MAX_LENGTH = 4_000;

const uuid = z
  .string()
  .refine(isUuid, { message: 'must be a UUID', params: { code: 'not-a-uuid' } })
  .transform((text) => text.toLowerCase())
  .meta({ openapi: { type: 'string', format: 'uuid', description: 'That of an earlier reply; default: a new conversation' } });

/** Body of a message. */
export const chatMessageSchema = z
  .strictObject({
    message: storableText(MESSAGE_MAX_LENGTH).describe('German or English'),
    conversation_id: uuid.optional(),
    collection: collectionReference.optional(),
  })
  .meta({ id: 'ChatMessage' });
export type ChatMessageBody = z.output<typeof chatMessageSchema>;

export const chatReplySchema = z
  .strictObject({
    reply: z.string().describe('Plain text; [n] are citations'),
    mode: z
      .enum(['generated', 'extractive', 'limited'])
      .describe(
        'generated: written by a model, its citations checked; extractive: sentences of the documents as they are; both may say that the documents say nothing about it; limited: the documents could not be looked into',
      ),
    citations: z.array(citationSchema),
    conversation_id: z.string().meta({ format: 'uuid' }).describe('To be named by the next message'),
    degraded: freshnessFields.degraded,
    source: freshnessFields.source
      .nullable()
      .describe(
        'Which index found the passages; keyword = none: PostgreSQL found the words of the message; null = nobody could look (limited)',
      ),
    notice: z.string().optional().describe('To be shown to people: what does not work at the moment'),
  })
  .meta({ id: 'ChatReply' });
export type ChatReplyBody = z.output<typeof chatReplySchema>;

export const conversationSchema = z
  .strictObject({
    id: z.string().meta({ format: 'uuid' }),
    created_at: z.string().meta({ format: 'date-time' }),
    updated_at: z.string().meta({ format: 'date-time' }).describe('Of the last message'),
    messages: z
      .array(
        z.strictObject({
          role: z.enum(['user', 'assistant']),
          content: z.string(),
          mode: z.enum(['generated', 'extractive']).nullable().describe('Of replies'),
          citations: z.array(citationSchema),
          created_at: z.string().meta({ format: 'date-time' }),
        }),
      )
      .describe('Oldest first; the latest 200'),
  })
  .meta({ id: 'Conversation' });
export type ConversationBody = z.output<typeof conversationSchema>;
