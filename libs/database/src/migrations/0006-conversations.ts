import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What was said in chats. */
export class Conversations1790000000006 implements MigrationInterface {
  readonly name = 'Conversations1790000000006';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(CONVERSATIONS);
    await runner.query(MESSAGES);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE public.conversation_messages, public.conversations');
  }
}

const CONVERSATIONS = `
CREATE TABLE public.conversations (
  id uuid PRIMARY KEY,
  -- Messages that were ever stored: the next one has this ordinal. Its update is what makes exchanges wait for each other.
  message_count integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Of the last message.
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- What the removal of old conversations walks along.
CREATE INDEX conversations_updated_at_idx ON public.conversations (updated_at)`;

const MESSAGES = `
CREATE TABLE public.conversation_messages (
  conversation_id uuid NOT NULL CONSTRAINT conversation_messages_conversation_id_fkey REFERENCES public.conversations (id) ON DELETE CASCADE,
  -- From 0; the oldest messages of a long conversation are removed.
  ordinal integer NOT NULL,
  role text NOT NULL CONSTRAINT conversation_messages_role_check CHECK (role IN ('user', 'assistant')),
  content text NOT NULL,
  -- How a reply was made; null = it is no reply.
  mode text,
  citations jsonb NOT NULL DEFAULT '[]',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (conversation_id, ordinal)
)`;
