import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What was answered to requests that can be sent again. */
export class IdempotencyKeys1790000000011 implements MigrationInterface {
  readonly name = 'IdempotencyKeys1790000000011';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(IDEMPOTENCY_KEYS);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE public.idempotency_keys');
  }
}

const IDEMPOTENCY_KEYS = `
CREATE TABLE public.idempotency_keys (
  -- Who asked, and for what: the same key of somebody else, or of another route, is another key.
  caller text NOT NULL,
  route text NOT NULL,
  key text NOT NULL,
  -- SHA-256 of what was asked; of a file, of all but its bytes.
  fingerprint bytea NOT NULL,
  -- SHA-256 of the file; null = there is none, or it has not been read yet.
  file_digest bytea,
  -- Of the request that may write: who takes an abandoned claim over takes the right to write along.
  token uuid NOT NULL,
  claimed_until timestamptz NOT NULL,
  -- The answer, set in the transaction of the write; null = there is none yet, 0 = it was refused, and the body says why.
  status smallint,
  headers jsonb NOT NULL DEFAULT '{}',
  -- As it was sent: jsonb would sort its keys.
  body text,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (caller, route, key)
);
-- What the removal of old ones walks along.
CREATE INDEX idempotency_keys_expires_at_idx ON public.idempotency_keys (expires_at)`;
