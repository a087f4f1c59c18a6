import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** One due run of one schedule. Written by the statements in `schedules/`; mapped to detect schema drift. */
@Entity('sync_schedule_runs')
@Index('sync_schedule_runs_one_running_idx', ['schedule'], { unique: true, where: `(outcome = 'running'::text)` })
export class SyncScheduleRunEntity {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'sync_schedule_runs_pkey' })
  schedule!: string;

  @PrimaryColumn('timestamptz', { name: 'due_at', primaryKeyConstraintName: 'sync_schedule_runs_pkey' })
  dueAt!: Date;

  @Column('timestamptz', { name: 'started_at', default: () => 'clock_timestamp()' })
  startedAt!: Date;

  @Column('uuid', { name: 'lease_token', nullable: true })
  leaseToken!: string | null;

  @Column('timestamptz', { name: 'lease_until', nullable: true })
  leaseUntil!: Date | null;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null;

  @Column('text')
  outcome!: string;

  @Column('text')
  holder!: string;

  @Column('jsonb', { nullable: true })
  result!: unknown;
}
