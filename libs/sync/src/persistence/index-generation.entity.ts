import type { EmbedderDescriptor } from '#embeddings';
import { Check, Column, Entity, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** One projection of a source: a collection together with the model that fills and queries it. Written by SQL only; mapped to detect schema drift. */
@Entity('index_generations')
@Unique('index_generations_collection_key', ['collection'])
@Check('index_generations_dimensions_check', '(dimensions > 0)')
@Check('index_generations_state_check', `(state = ANY (ARRAY['building'::text, 'serving'::text, 'standby'::text, 'retired'::text]))`)
@Index('index_generations_one_serving_idx', ['source'], { unique: true, where: `(state = 'serving'::text)` })
@Index('index_generations_one_building_idx', ['source'], { unique: true, where: `(state = 'building'::text)` })
export class IndexGenerationEntity {
  @PrimaryGeneratedColumn('identity', { type: 'integer', generatedIdentity: 'ALWAYS', primaryKeyConstraintName: 'index_generations_pkey' })
  id!: number;

  @Column('text')
  source!: string;

  @Column('text')
  collection!: string;

  @Column('text', { name: 'model_rev' })
  modelRev!: string;

  @Column('text', { name: 'template_rev' })
  templateRev!: string;

  @Column('integer')
  dimensions!: number;

  @Column('text')
  state!: string;

  @Column('jsonb')
  embedder!: EmbedderDescriptor;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'filled_at', nullable: true })
  filledAt!: Date | null;

  @Column('uuid', { default: () => 'kindred_uuid_v7()' })
  epoch!: string;

  @Column('uuid', { name: 'previous_epoch', nullable: true })
  previousEpoch!: string | null;

  @Column('timestamptz', { name: 'paused_at', nullable: true })
  pausedAt!: Date | null;

  @Column('text', { name: 'pause_reason', nullable: true })
  pauseReason!: string | null;

  @Column('timestamptz', { name: 'serving_since', nullable: true })
  servingSince!: Date | null;

  @Column('timestamptz', { name: 'standby_since', nullable: true })
  standbySince!: Date | null;

  @Column('timestamptz', { name: 'retired_at', nullable: true })
  retiredAt!: Date | null;

  @Column('timestamptz', { name: 'dropped_at', nullable: true })
  droppedAt!: Date | null;

  @Column('jsonb', { name: 'gate_report', nullable: true })
  gateReport!: unknown;

  /** Why it was built, in the operator's words. */
  @Column('text', { nullable: true })
  reason!: string | null;
}
