import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { IndexGenerationEntity } from './index-generation.entity.js';

/** What the index owes one row of one generation. Written by triggers and by the statements in `ledger/`; mapped to detect schema drift. */
@Entity('index_ledger')
@Check('index_ledger_state_check', `(state = ANY (ARRAY['pending'::text, 'synced'::text, 'dead'::text, 'tombstone'::text]))`)
@Index('index_ledger_due_idx', ['generationId', 'attempts', 'nextAttemptAt'], { where: `(state = 'pending'::text)` })
@Index('index_ledger_tombstone_idx', ['generationId', 'nextAttemptAt'], { where: `(state = 'tombstone'::text)` })
@Index('index_ledger_recorded_idx', ['generationId', 'recordedAt'], { where: '(recorded_at IS NOT NULL)' })
@Index('index_ledger_dead_idx', ['generationId', 'sourceId'], { where: `(state = 'dead'::text)` })
@Index('index_ledger_indexed_hash_idx', ['indexedHash'], { where: '(indexed_hash IS NOT NULL)' })
export class IndexLedgerEntity {
  @PrimaryColumn('integer', { name: 'generation_id', primaryKeyConstraintName: 'index_ledger_pkey' })
  generationId!: number;

  @ManyToOne(() => IndexGenerationEntity, { nullable: false, onDelete: 'NO ACTION', onUpdate: 'NO ACTION' })
  @JoinColumn({ name: 'generation_id', foreignKeyConstraintName: 'index_ledger_generation_id_fkey' })
  generation!: IndexGenerationEntity;

  @PrimaryColumn('uuid', { name: 'source_id', primaryKeyConstraintName: 'index_ledger_pkey' })
  sourceId!: string;

  @Column('bigint')
  version!: string;

  @Column('text')
  state!: string;

  @Column('timestamptz', { name: 'changed_at', default: () => 'now()' })
  changedAt!: Date;

  @Column('boolean', { name: 'in_doubt', default: false })
  isInDoubt!: boolean;

  @Column('bigint', { name: 'indexed_version', nullable: true })
  indexedVersion!: string | null;

  @Column('bytea', { name: 'indexed_hash', nullable: true })
  indexedHash!: Buffer | null;

  @Column('bytea', { name: 'indexed_payload_hash', nullable: true })
  indexedPayloadHash!: Buffer | null;

  @Column('integer', { default: 0 })
  attempts!: number;

  @Column('timestamptz', { name: 'next_attempt_at', default: () => 'now()' })
  nextAttemptAt!: Date;

  @Column('uuid', { name: 'lease_token', nullable: true })
  leaseToken!: string | null;

  @Column('timestamptz', { name: 'lease_until', nullable: true })
  leaseUntil!: Date | null;

  @Column('jsonb', { name: 'last_error', nullable: true })
  lastError!: unknown;

  /** When `indexed_*` last changed. */
  @Column('timestamptz', { name: 'recorded_at', nullable: true })
  recordedAt!: Date | null;
}
