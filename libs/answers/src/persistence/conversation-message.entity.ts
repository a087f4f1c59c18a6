import { Check, Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { ConversationEntity } from './conversation.entity.js';

/** The table as TypeORM sees it; the migrations make it. It exists so that a test can compare both: queries are plain SQL. */
@Entity('conversation_messages')
@Check('conversation_messages_role_check', `(role = ANY (ARRAY['user'::text, 'assistant'::text]))`)
export class ConversationMessageEntity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'conversation_messages_pkey' })
  conversation_id!: string;

  @ManyToOne(() => ConversationEntity, { nullable: false, onDelete: 'CASCADE', onUpdate: 'NO ACTION' })
  @JoinColumn({ name: 'conversation_id', foreignKeyConstraintName: 'conversation_messages_conversation_id_fkey' })
  conversation!: ConversationEntity;

  @PrimaryColumn('integer', { primaryKeyConstraintName: 'conversation_messages_pkey' })
  ordinal!: number;

  @Column('text')
  role!: string;

  @Column('text')
  content!: string;

  @Column('text', { nullable: true })
  mode!: string | null;

  @Column('jsonb', { default: [] })
  citations!: unknown;

  @Column('timestamptz', { default: () => 'clock_timestamp()' })
  created_at!: Date;
}
