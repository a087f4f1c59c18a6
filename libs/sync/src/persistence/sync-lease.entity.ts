import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A right that one process holds among many. Written by the statements in `leases/`; mapped to detect schema drift. */
@Entity('sync_leases')
export class SyncLeaseEntity {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'sync_leases_pkey' })
  name!: string;

  @Column('uuid')
  token!: string;

  @Column('text')
  holder!: string;

  @Column('timestamptz', { name: 'acquired_at', default: () => 'now()' })
  acquiredAt!: Date;

  @Column('timestamptz', { name: 'lease_until' })
  leaseUntil!: Date;
}
