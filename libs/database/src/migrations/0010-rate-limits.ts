import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How much of its limit each key and each address has used, for all processes together. */
export class RateLimits1790000000010 implements MigrationInterface {
  readonly name = 'RateLimits1790000000010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
-- Not logged: after a crash of the server everybody begins anew, which is cheaper than a write to the log for each request.
CREATE UNLOGGED TABLE public.rate_limits (
  bucket text PRIMARY KEY,
  used integer NOT NULL,
  maximum integer NOT NULL,
  -- End of the window, by the clock of the database.
  expires_at timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX rate_limits_expires_at ON public.rate_limits (expires_at)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE public.rate_limits');
  }
}
