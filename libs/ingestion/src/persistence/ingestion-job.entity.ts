import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The table as TypeORM sees it, for the comparison with the migrations; queries are plain SQL. */
@Entity({ name: 'ingestion_jobs' })
@Check('ingestion_jobs_state_check', `state IN ('uploading', 'queued', 'running', 'done', 'failed', 'cancelled')`)
@Index('ingestion_jobs_open_idx', ['state', 'id'], { where: `state IN ('uploading', 'queued', 'running')` })
export class IngestionJobEntity {
  @PrimaryColumn({ type: 'uuid', default: () => 'kindred_uuid_v7()', primaryKeyConstraintName: 'ingestion_jobs_pkey' })
  id!: string;

  @Column({ type: 'text' })
  kind!: string;

  @Column({ type: 'text' })
  format!: string;

  @Column({ type: 'text' })
  state!: string;

  @Column({ type: 'jsonb', default: {} })
  options!: object;

  @Column({ type: 'text', nullable: true })
  file_name!: string | null;

  @Column({ type: 'bigint', nullable: true })
  total_bytes!: string | null;

  @Column({ type: 'bytea', nullable: true })
  sha256!: Buffer | null;

  @Column({ type: 'integer', default: 0 })
  lines!: number;

  @Column({ type: 'integer', default: 0 })
  accepted!: number;

  @Column({ type: 'integer', default: 0 })
  inserted!: number;

  @Column({ type: 'integer', default: 0 })
  updated!: number;

  @Column({ type: 'integer', default: 0 })
  unchanged!: number;

  @Column({ type: 'integer', default: 0 })
  rejected!: number;

  @Column({ type: 'integer', default: 0 })
  problems!: number;

  @Column({ type: 'jsonb', default: { offset: 0, line: 1 } })
  checkpoint!: object;

  @Column({ type: 'boolean', default: false })
  is_cancel_requested!: boolean;

  @Column({ type: 'integer', default: 0 })
  attempts!: number;

  @Column({ type: 'jsonb', nullable: true })
  error!: object | null;

  @Column({ type: 'uuid', nullable: true })
  queue_id!: string | null;

  @Column({ type: 'timestamptz', nullable: true })
  enqueued_at!: Date | null;

  @Column({ type: 'uuid', nullable: true })
  lease_token!: string | null;

  @Column({ type: 'timestamptz', nullable: true })
  lease_until!: Date | null;

  @Column({ type: 'bigint', default: 0 })
  active_ms!: string;

  @Column({ type: 'timestamptz', default: () => 'now()' })
  created_at!: Date;

  @Column({ type: 'timestamptz', default: () => 'now()' })
  updated_at!: Date;

  @Column({ type: 'timestamptz', nullable: true })
  started_at!: Date | null;

  @Column({ type: 'timestamptz', nullable: true })
  finished_at!: Date | null;
}
