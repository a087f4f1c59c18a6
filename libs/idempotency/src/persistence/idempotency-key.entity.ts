import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

const PRIMARY_KEY = { type: 'text', primaryKeyConstraintName: 'idempotency_keys_pkey' } as const;

/** The table as TypeORM sees it; the migrations make it. It exists so that a test can compare both: queries are plain SQL. */
@Entity('idempotency_keys')
@Index('idempotency_keys_expires_at_idx', ['expires_at'])
export class IdempotencyKeyEntity {
  @PrimaryColumn(PRIMARY_KEY)
  caller!: string;

  @PrimaryColumn(PRIMARY_KEY)
  route!: string;

  @PrimaryColumn(PRIMARY_KEY)
  key!: string;

  @Column('bytea')
  fingerprint!: Buffer;

  @Column('bytea', { nullable: true })
  file_digest!: Buffer | null;

  @Column('uuid')
  token!: string;

  @Column('timestamptz')
  claimed_until!: Date;

  @Column('smallint', { nullable: true })
  status!: number | null;

  @Column('jsonb', { default: {} })
  headers!: object;

  @Column('text', { nullable: true })
  body!: string | null;

  @Column('timestamptz')
  expires_at!: Date;
}
