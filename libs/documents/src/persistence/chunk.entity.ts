import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { DocumentEntity } from './document.entity.js';

/** The table as TypeORM sees it; the migrations make it. It exists so that a test can compare both: queries are plain SQL. */
@Entity('chunks')
@Index('chunks_document_idx', ['document_id', 'ordinal'])
@Index('chunks_collection_idx', ['collection_id'])
@Index('chunks_search_text_idx', ['search_text'], { type: 'gin' })
export class ChunkEntity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'chunks_pkey' })
  id!: string;

  @Column('uuid')
  document_id!: string;

  @ManyToOne(() => DocumentEntity, { nullable: false, onDelete: 'CASCADE', onUpdate: 'NO ACTION' })
  @JoinColumn({ name: 'document_id', foreignKeyConstraintName: 'chunks_document_id_fkey' })
  document!: DocumentEntity;

  @Column('uuid')
  collection_id!: string;

  @Column('integer')
  ordinal!: number;

  @Column('integer')
  start_offset!: number;

  @Column('integer')
  end_offset!: number;

  @Column('text')
  context!: string;

  @Column('text')
  text!: string;

  @Column('bytea')
  text_hash!: Buffer;

  @Column('text', { nullable: true })
  language!: string | null;

  @Column('jsonb')
  payload!: unknown;

  /** Kept by a trigger. */
  @Column({ type: 'tsvector', nullable: true })
  search_text!: string | null;
}
