import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Imports: jobs, the staged bytes of their files, what was refused, and the external ids that a file has named. */
export class Ingestion1790000000005 implements MigrationInterface {
  readonly name = 'Ingestion1790000000005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(JOBS);
    await runner.query(PIECES);
    await runner.query(PROBLEMS);
    await runner.query(EXTERNAL_IDS);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP TABLE public.ingestion_external_ids, public.ingestion_problems, public.ingestion_pieces, public.ingestion_jobs; DROP SCHEMA IF EXISTS pgboss CASCADE',
    );
  }
}

const JOBS = `
CREATE TABLE public.ingestion_jobs (
  id uuid PRIMARY KEY DEFAULT public.kindred_uuid_v7(),
  kind text NOT NULL,
  format text NOT NULL,
  state text NOT NULL CHECK (state IN ('uploading', 'queued', 'running', 'done', 'failed', 'cancelled')),
  options jsonb NOT NULL DEFAULT '{}',
  file_name text,
  -- Of the staged file; both are known when the upload has ended.
  total_bytes bigint,
  sha256 bytea,
  lines integer NOT NULL DEFAULT 0,
  accepted integer NOT NULL DEFAULT 0,
  inserted integer NOT NULL DEFAULT 0,
  updated integer NOT NULL DEFAULT 0,
  unchanged integer NOT NULL DEFAULT 0,
  rejected integer NOT NULL DEFAULT 0,
  problems integer NOT NULL DEFAULT 0,
  -- Where to go on: everything before is in the tables, and nothing behind. Written in the transaction of the rows.
  checkpoint jsonb NOT NULL DEFAULT '{"offset": 0, "line": 1}',
  is_cancel_requested boolean NOT NULL DEFAULT false,
  -- Runs without a single batch since the last one that got on.
  attempts integer NOT NULL DEFAULT 0,
  error jsonb,
  -- The entry of the queue, and when it was made.
  queue_id uuid,
  enqueued_at timestamptz,
  -- Fencing: only who holds the token writes.
  lease_token uuid,
  lease_until timestamptz,
  -- Time in which it was worked on.
  active_ms bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  finished_at timestamptz
);
-- What the sweep of every process looks at; jobs that are over are not in it.
CREATE INDEX ingestion_jobs_open_idx ON public.ingestion_jobs (state, id) WHERE state IN ('uploading', 'queued', 'running')`;

const PIECES = `
CREATE TABLE public.ingestion_pieces (
  job_id uuid NOT NULL REFERENCES public.ingestion_jobs (id) ON DELETE CASCADE,
  ordinal integer NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (job_id, ordinal)
);
-- Read once and removed: compressing it would cost more than it saves.
ALTER TABLE public.ingestion_pieces ALTER COLUMN bytes SET STORAGE EXTERNAL`;

const PROBLEMS = `
CREATE TABLE public.ingestion_problems (
  job_id uuid NOT NULL REFERENCES public.ingestion_jobs (id) ON DELETE CASCADE,
  ordinal integer NOT NULL,
  line integer NOT NULL,
  pointer text NOT NULL,
  code text NOT NULL,
  detail text NOT NULL,
  PRIMARY KEY (job_id, ordinal)
)`;

const EXTERNAL_IDS = `
CREATE TABLE public.ingestion_external_ids (
  job_id uuid NOT NULL REFERENCES public.ingestion_jobs (id) ON DELETE CASCADE,
  external_id text NOT NULL,
  line integer NOT NULL,
  PRIMARY KEY (job_id, external_id)
)`;
