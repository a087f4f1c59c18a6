import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far imports from pgvector tables have come. */
export class PgvectorImports1790000000007 implements MigrationInterface {
  readonly name = 'PgvectorImports1790000000007';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(IMPORTS);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE public.pgvector_imports');
  }
}

const IMPORTS = `
CREATE TABLE public.pgvector_imports (
  -- Server, database and table that are read; never a user or a password.
  source text NOT NULL,
  -- Name of the collection that was given to the command.
  collection text NOT NULL,
  mapping jsonb NOT NULL,
  -- Everything up to this id is in the tables. Written in the transaction of the rows.
  last_id text NOT NULL,
  rows_read bigint NOT NULL,
  rows_refused bigint NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (source, collection)
)`;
