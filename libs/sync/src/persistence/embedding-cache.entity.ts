import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Vectors by the hash of model, template and text. Written by the statements in `cache/`; mapped to detect schema drift. */
@Entity('embedding_cache')
export class EmbeddingCacheEntity {
  @PrimaryColumn('bytea', { name: 'text_hash', primaryKeyConstraintName: 'embedding_cache_pkey' })
  textHash!: Buffer;

  /** float32, little-endian. */
  @Column('bytea')
  vector!: Buffer;

  @Column('boolean', { name: 'is_truncated', default: false })
  isTruncated!: boolean;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'last_used_at', default: () => 'now()' })
  lastUsedAt!: Date;
}
