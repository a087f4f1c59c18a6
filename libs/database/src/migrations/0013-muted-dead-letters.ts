import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Dead letters that an operator has seen and left: they are out of counts and alerts until their row changes. */
export class MutedDeadLetters1790000000013 implements MigrationInterface {
  readonly name = 'MutedDeadLetters1790000000013';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
-- Beside the ledger, so that muting is no change of an entry. It counts as long as the entry has this version, which every change of the row ends.
CREATE TABLE public.dead_letter_mutes (
  generation_id integer NOT NULL REFERENCES public.index_generations (id) ON DELETE CASCADE,
  source_id uuid NOT NULL,
  version bigint NOT NULL,
  reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
  muted_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (generation_id, source_id)
)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE public.dead_letter_mutes');
  }
}
