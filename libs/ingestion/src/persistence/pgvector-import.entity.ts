import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The table as TypeORM sees it, for the comparison with the migrations; queries are plain SQL. */
@Entity({ name: 'pgvector_imports' })
export class PgvectorImportEntity {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'pgvector_imports_pkey' })
  source!: string;

  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'pgvector_imports_pkey' })
  collection!: string;

  @Column({ type: 'jsonb' })
  mapping!: unknown;

  @Column({ type: 'text' })
  last_id!: string;

  @Column({ type: 'bigint' })
  rows_read!: string;

  @Column({ type: 'bigint' })
  rows_refused!: string;

  @Column({ type: 'timestamptz', default: () => 'now()' })
  updated_at!: Date;
}
