import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What proof, generations, schedules and restore awareness need; names and types are those of the public contract where it has them. */
export class SyncEngine1790000000002 implements MigrationInterface {
  readonly name = 'SyncEngine1790000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(IDENTITY);
    await runner.query(GENERATIONS);
    await runner.query(LEDGER);
    await runner.query(LEASES);
    await runner.query(CERTIFICATES);
    await runner.query(SCHEDULE_RUNS);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE public.sync_schedule_runs, public.index_certificates, public.sync_leases, public.kindred_identity;
      DROP INDEX public.index_ledger_recorded_idx, public.index_ledger_dead_idx, public.index_generations_one_building_idx,
        public.index_ledger_due_idx, public.index_ledger_tombstone_idx;
      CREATE INDEX index_ledger_due_idx ON public.index_ledger (attempts, next_attempt_at) WHERE state IN ('pending', 'tombstone');
      ALTER TABLE public.index_ledger DROP COLUMN recorded_at;
      ALTER TABLE public.index_generations DROP COLUMN epoch, DROP COLUMN previous_epoch, DROP COLUMN paused_at, DROP COLUMN pause_reason,
        DROP COLUMN serving_since, DROP COLUMN standby_since, DROP COLUMN retired_at, DROP COLUMN dropped_at, DROP COLUMN gate_report, DROP COLUMN reason;
    `);
  }
}

/** Collections carry this id, so that a database never takes the collection of another one for its own. */
const IDENTITY = `
CREATE TABLE public.kindred_identity (
  is_only boolean PRIMARY KEY DEFAULT true CONSTRAINT kindred_identity_is_only_check CHECK (is_only),
  id uuid NOT NULL DEFAULT public.kindred_uuid_v7(),
  created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO public.kindred_identity DEFAULT VALUES`;

const GENERATIONS = `
ALTER TABLE public.index_generations
  -- The collection's metadata names one of the two; anything else means that one side was restored.
  ADD COLUMN epoch uuid NOT NULL DEFAULT public.kindred_uuid_v7(),
  ADD COLUMN previous_epoch uuid,
  -- While it is set, no relay claims entries of the generation (protocol rule 10).
  ADD COLUMN paused_at timestamptz,
  ADD COLUMN pause_reason text,
  ADD COLUMN serving_since timestamptz,
  ADD COLUMN standby_since timestamptz,
  ADD COLUMN retired_at timestamptz,
  -- When the collection and the entries of a retired generation were removed.
  ADD COLUMN dropped_at timestamptz,
  ADD COLUMN gate_report jsonb,
  -- Why it was built, in the operator's words.
  ADD COLUMN reason text;
-- Two operators at once: the second one's generation fails here.
CREATE UNIQUE INDEX index_generations_one_building_idx ON public.index_generations (source) WHERE state = 'building'`;

const LEDGER = `
-- When indexed_* last changed: replicas of the index follow it.
ALTER TABLE public.index_ledger ADD COLUMN recorded_at timestamptz;
CREATE INDEX index_ledger_recorded_idx ON public.index_ledger (generation_id, recorded_at) WHERE recorded_at IS NOT NULL;
CREATE INDEX index_ledger_dead_idx ON public.index_ledger (generation_id, source_id) WHERE state = 'dead';
-- The claim's order, with every condition of it: a claim from a long backlog reads as many entries as it takes, whatever the planner knows. Tombstones
-- apart, so that a bulk delete whose grace is over does not lie before new writes.
DROP INDEX public.index_ledger_due_idx;
CREATE INDEX index_ledger_due_idx ON public.index_ledger (generation_id, attempts, next_attempt_at) WHERE state = 'pending';
CREATE INDEX index_ledger_tombstone_idx ON public.index_ledger (generation_id, next_attempt_at) WHERE state = 'tombstone'`;

/** Named rights of one process among many, by the database's clock. */
const LEASES = `
CREATE TABLE public.sync_leases (
  name text PRIMARY KEY,
  token uuid NOT NULL,
  holder text NOT NULL,
  acquired_at timestamptz NOT NULL DEFAULT now(),
  lease_until timestamptz NOT NULL
)`;

const CERTIFICATES = `
CREATE TABLE public.index_certificates (
  id uuid PRIMARY KEY DEFAULT public.kindred_uuid_v7(),
  generation_id integer NOT NULL REFERENCES public.index_generations (id),
  -- running, clean, repaired, differs, refused, incomplete, failed
  decision text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at timestamptz,
  report jsonb NOT NULL
);
CREATE INDEX index_certificates_generation_idx ON public.index_certificates (generation_id, started_at DESC)`;

/** One row per due run: of N replicas whose clocks differ, the one that inserts it runs it. */
const SCHEDULE_RUNS = `
CREATE TABLE public.sync_schedule_runs (
  schedule text NOT NULL,
  due_at timestamptz NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  lease_token uuid,
  lease_until timestamptz,
  finished_at timestamptz,
  -- running, done, failed, skipped
  outcome text NOT NULL,
  holder text NOT NULL,
  result jsonb,
  PRIMARY KEY (schedule, due_at)
);
-- A run that overruns is not started twice: a second one fails here, whatever its due time.
CREATE UNIQUE INDEX sync_schedule_runs_one_running_idx ON public.sync_schedule_runs (schedule) WHERE outcome = 'running'`;
