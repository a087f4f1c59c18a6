import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { IngestionJobEntity } from './ingestion-job.entity.js';

/** The table as TypeORM sees it, for the comparison with the migrations; queries are plain SQL. */
@Entity({ name: 'ingestion_pieces' })
export class IngestionPieceEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'ingestion_pieces_pkey' })
  job_id!: string;

  @ManyToOne(() => IngestionJobEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'job_id', foreignKeyConstraintName: 'ingestion_pieces_job_id_fkey' })
  job!: IngestionJobEntity;

  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'ingestion_pieces_pkey' })
  ordinal!: number;

  @Column({ type: 'bytea' })
  bytes!: Buffer;
}
