import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { IndexGenerationEntity } from './index-generation.entity.js';

/** What a reconciliation has read and decided. Written by the statements in `reconciler/`; mapped to detect schema drift. */
@Entity('index_certificates')
@Index('index_certificates_generation_idx', ['generationId', 'startedAt'])
export class IndexCertificateEntity {
  @PrimaryColumn('uuid', { default: () => 'kindred_uuid_v7()', primaryKeyConstraintName: 'index_certificates_pkey' })
  id!: string;

  @Column('integer', { name: 'generation_id' })
  generationId!: number;

  @ManyToOne(() => IndexGenerationEntity, { nullable: false, onDelete: 'NO ACTION', onUpdate: 'NO ACTION' })
  @JoinColumn({ name: 'generation_id', foreignKeyConstraintName: 'index_certificates_generation_id_fkey' })
  generation!: IndexGenerationEntity;

  @Column('text')
  decision!: string;

  @Column('timestamptz', { name: 'started_at', default: () => 'clock_timestamp()' })
  startedAt!: Date;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null;

  @Column('jsonb')
  report!: unknown;
}
