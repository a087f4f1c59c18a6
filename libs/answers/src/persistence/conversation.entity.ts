import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The table as TypeORM sees it; the migrations make it. It exists so that a test can compare both: queries are plain SQL. */
@Entity('conversations')
@Index('conversations_updated_at_idx', ['updated_at'])
export class ConversationEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'conversations_pkey' })
  id!: string;

  @Column('integer')
  message_count!: number;

  @Column('timestamptz', { default: () => 'clock_timestamp()' })
  created_at!: Date;

  @Column('timestamptz', { default: () => 'clock_timestamp()' })
  updated_at!: Date;
}
