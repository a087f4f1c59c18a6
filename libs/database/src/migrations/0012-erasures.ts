import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Erasures with a receipt: what was asked for, where it is proven to be gone, and the backups that may still hold it. */
export class Erasures1790000000012 implements MigrationInterface {
  readonly name = 'Erasures1790000000012';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(BACKUPS);
    await runner.query(ERASURES);
    await runner.query(STEPS);
    await runner.query(PROCESSES);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE public.erasure_processes, public.erasure_steps, public.erasures, public.backups');
  }
}

const BACKUPS = `
CREATE TABLE public.backups (
  id uuid PRIMARY KEY,
  -- Host and folder: for people, who may have moved it.
  location text NOT NULL,
  begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- null = it was never finished, but its files may be there.
  finished_at timestamptz,
  rows bigint,
  bytes bigint
)`;

/** Ids and hashes only: what is to be erased must not be written down once more. */
const ERASURES = `
CREATE TABLE public.erasures (
  id uuid PRIMARY KEY DEFAULT public.kindred_uuid_v7(),
  -- Processes empty their memory up to one of these.
  ordinal bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  kind text NOT NULL CONSTRAINT erasures_kind_check CHECK (kind IN ('project', 'document')),
  target_id uuid NOT NULL,
  -- Of the index.
  source text NOT NULL,
  point_ids uuid[] NOT NULL,
  -- Of the texts that the index was made from, in every generation.
  text_hashes bytea[] NOT NULL,
  state text NOT NULL DEFAULT 'pending' CONSTRAINT erasures_state_check CHECK (state IN ('pending', 'proven', 'failed')),
  requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- When the line was in the log outside of the database; null = not yet.
  logged_at timestamptz,
  finished_at timestamptz,
  attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  last_error text
);
CREATE INDEX erasures_open_idx ON public.erasures (next_attempt_at) WHERE state = 'pending'`;

const STEPS = `
CREATE TABLE public.erasure_steps (
  erasure_id uuid NOT NULL REFERENCES public.erasures (id) ON DELETE CASCADE,
  -- row, index, ledger, …
  place text NOT NULL,
  -- Which of several, for example a generation or a process; '' = there is one.
  part text NOT NULL DEFAULT '',
  state text NOT NULL CONSTRAINT erasure_steps_state_check CHECK (state IN ('pending', 'proven', 'failed')),
  -- How much was removed there for this erasure.
  removed bigint NOT NULL DEFAULT 0,
  checked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  proven_at timestamptz,
  detail text,
  PRIMARY KEY (erasure_id, place, part)
)`;

/** Processes that keep answers and vectors in memory, and up to which erasure each has emptied it. */
const PROCESSES = `
CREATE TABLE public.erasure_processes (
  holder text PRIMARY KEY,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  cleared_through bigint NOT NULL DEFAULT 0
)`;
