import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, Unique } from 'typeorm';
import { CollectionEntity } from './collection.entity.js';

/** The table as TypeORM sees it; the migrations make it. It exists so that a test can compare both: queries are plain SQL. */
@Entity('documents')
@Unique('documents_external_id_key', ['collection_id', 'external_id'])
@Index('documents_unchunked_idx', ['id'], { where: '(chunked_version IS DISTINCT FROM version)' })
@Index('documents_created_at_idx', ['created_at', 'id'])
@Index('documents_updated_at_idx', ['updated_at', 'id'])
@Index('documents_title_idx', ['title', 'id'])
export class DocumentEntity {
  @PrimaryColumn({ type: 'uuid', default: () => 'kindred_uuid_v7()', primaryKeyConstraintName: 'documents_pkey' })
  id!: string;

  @Column('uuid')
  collection_id!: string;

  @ManyToOne(() => CollectionEntity, { nullable: false, onDelete: 'CASCADE', onUpdate: 'NO ACTION' })
  @JoinColumn({ name: 'collection_id', foreignKeyConstraintName: 'documents_collection_id_fkey' })
  collection!: CollectionEntity;

  @Column('text', { nullable: true })
  external_id!: string | null;

  @Column('text')
  title!: string;

  @Column('text')
  content!: string;

  @Column('text', { nullable: true })
  kind!: string | null;

  @Column('text', { nullable: true })
  source_uri!: string | null;

  @Column('text', { nullable: true })
  language!: string | null;

  @Column('jsonb', { default: {} })
  metadata!: unknown;

  @Column('integer', { default: 1 })
  version!: number;

  @Column('integer', { nullable: true })
  chunked_version!: number | null;

  @Column('timestamptz', { nullable: true })
  chunking_until!: Date | null;

  @Column('text', { nullable: true })
  chunking_error!: string | null;

  @Column('timestamptz', { default: () => 'now()' })
  created_at!: Date;

  @Column('timestamptz', { default: () => 'now()' })
  updated_at!: Date;
}
