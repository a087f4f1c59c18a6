import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { IngestionJobEntity } from './ingestion-job.entity.js';

/** The table as TypeORM sees it, for the comparison with the migrations; queries are plain SQL. */
@Entity({ name: 'ingestion_problems' })
export class IngestionProblemEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'ingestion_problems_pkey' })
  job_id!: string;

  @ManyToOne(() => IngestionJobEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'job_id', foreignKeyConstraintName: 'ingestion_problems_job_id_fkey' })
  job!: IngestionJobEntity;

  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'ingestion_problems_pkey' })
  ordinal!: number;

  @Column({ type: 'integer' })
  line!: number;

  @Column({ type: 'text' })
  pointer!: string;

  @Column({ type: 'text' })
  code!: string;

  @Column({ type: 'text' })
  detail!: string;
}
