import { Check, Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

/**
 * The table as TypeORM sees it; the migrations make it. It exists so that a test can compare both: queries are plain SQL.
 */
@Entity({ name: 'projects' })
@Check('projects_complexity_check', 'complexity BETWEEN 1 AND 5')
@Unique('projects_external_id_key', ['external_id'])
@Index('projects_created_at_idx', ['created_at', 'id'])
@Index('projects_updated_at_idx', ['updated_at', 'id'])
@Index('projects_final_price_idx', ['final_price', 'id'])
@Index('projects_name_idx', ['name', 'id'])
@Index('projects_search_text_idx', ['search_text'], { type: 'gin' })
export class ProjectEntity {
  @PrimaryColumn({ type: 'uuid', default: () => 'kindred_uuid_v7()', primaryKeyConstraintName: 'projects_pkey' })
  id!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  description!: string;

  @Column({ type: 'text', nullable: true })
  project_type!: string | null;

  @Column({ type: 'text', nullable: true })
  region!: string | null;

  @Column({ type: 'text', nullable: true })
  wood_type!: string | null;

  @Column({ type: 'numeric', precision: 10, scale: 2, nullable: true })
  total_area_sqm!: string | null;

  @Column({ type: 'smallint', nullable: true })
  complexity!: number | null;

  @Column({ type: 'numeric', precision: 14, scale: 2, nullable: true })
  final_price!: string | null;

  @Column({ type: 'char', length: 3, default: 'EUR' })
  currency!: string;

  @Column({ type: 'date', nullable: true })
  completed_on!: string | null;

  @Column({ type: 'text', nullable: true })
  external_id!: string | null;

  @Column({ type: 'integer', default: 1 })
  version!: number;

  @Column({ type: 'timestamptz', default: () => 'now()' })
  created_at!: Date;

  @Column({ type: 'timestamptz', default: () => 'now()' })
  updated_at!: Date;

  /** The words of the row; a trigger keeps it. */
  @Column({ type: 'tsvector', nullable: true })
  search_text!: string | null;
}

/** Entities of this lib, for the comparison of entities and migrations. */
export const PROJECT_ENTITIES = [ProjectEntity];
