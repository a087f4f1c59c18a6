import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** Names this database, in one row; mapped to detect schema drift. */
@Entity('kindred_identity')
@Check('kindred_identity_is_only_check', 'is_only')
export class KindredIdentityEntity {
  @PrimaryColumn('boolean', { name: 'is_only', default: true, primaryKeyConstraintName: 'kindred_identity_pkey' })
  isOnly!: boolean;

  @Column('uuid', { default: () => 'kindred_uuid_v7()' })
  id!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
