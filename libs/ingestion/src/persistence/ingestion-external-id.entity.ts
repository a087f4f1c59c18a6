import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { IngestionJobEntity } from './ingestion-job.entity.js';

/** The table as TypeORM sees it, for the comparison with the migrations; queries are plain SQL. */
@Entity({ name: 'ingestion_external_ids' })
export class IngestionExternalIdEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'ingestion_external_ids_pkey' })
  job_id!: string;

  @ManyToOne(() => IngestionJobEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'job_id', foreignKeyConstraintName: 'ingestion_external_ids_job_id_fkey' })
  job!: IngestionJobEntity;

  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'ingestion_external_ids_pkey' })
  external_id!: string;

  @Column({ type: 'integer' })
  line!: number;
}
