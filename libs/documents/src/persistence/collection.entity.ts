import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** The table as TypeORM sees it; the migrations make it. It exists so that a test can compare both: queries are plain SQL. */
@Entity('collections')
@Unique('collections_name_key', ['name'])
@Check('collections_chunk_tokens_check', '((chunk_tokens >= 32) AND (chunk_tokens <= 8192))')
@Check('collections_chunk_overlap_tokens_check', '((chunk_overlap_tokens >= 0) AND ((chunk_overlap_tokens * 2) <= chunk_tokens))')
export class CollectionEntity {
  @PrimaryColumn({ type: 'uuid', default: () => 'kindred_uuid_v7()', primaryKeyConstraintName: 'collections_pkey' })
  id!: string;

  @Column('text')
  name!: string;

  @Column('text', { nullable: true })
  description!: string | null;

  @Column('text', { nullable: true })
  language!: string | null;

  @Column('integer', { default: 200 })
  chunk_tokens!: number;

  @Column('integer', { default: 24 })
  chunk_overlap_tokens!: number;

  @Column('jsonb', { default: {} })
  metadata_keys!: unknown;

  /** Of the model by whose tokens the chunks are cut. */
  @Column('text', { nullable: true })
  chunking_model_rev!: string | null;

  @Column('integer', { default: 1 })
  version!: number;

  @Column('timestamptz', { default: () => 'now()' })
  created_at!: Date;

  @Column('timestamptz', { default: () => 'now()' })
  updated_at!: Date;
}
