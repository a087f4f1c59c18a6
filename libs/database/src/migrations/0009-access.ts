import type { MigrationInterface, QueryRunner } from 'typeorm';

/** API keys, and the record of what operators did. */
export class Access1790000000009 implements MigrationInterface {
  readonly name = 'Access1790000000009';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(KEYS);
    await runner.query(AUDIT);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE public.audit_entries;
      DROP FUNCTION public.kindred_refuse_audit_change();
      DROP TABLE public.api_keys;
    `);
  }
}

const KEYS = `
CREATE TABLE public.api_keys (
  key_id text PRIMARY KEY CHECK (key_id ~ '^[0-9a-f]{12}$'),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  -- HMAC-SHA-256 of the whole key; the key itself is nowhere.
  digest bytea NOT NULL CHECK (octet_length(digest) = 32),
  -- Which pepper it was made with: by another one no key would ever be found good.
  pepper_id text NOT NULL,
  scopes text[] NOT NULL CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'write', 'admin:read', 'admin']),
  -- null = all.
  collections uuid[] CHECK (cardinality(collections) > 0),
  -- null = from anywhere.
  allowed_cidrs text[] CHECK (cardinality(allowed_cidrs) > 0),
  -- null = that of the deployment.
  rate_limit_per_minute integer CHECK (rate_limit_per_minute > 0),
  -- The key that this one takes over from, while both are good.
  replaces text,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  -- To the minute or so.
  last_used_at timestamptz
)`;

const AUDIT = `
-- Two rows for each act: one before it begins, one when it has ended. An act without its second row was cut off.
CREATE TABLE public.audit_entries (
  audit_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  act_id uuid NOT NULL,
  phase text NOT NULL CHECK (phase IN ('begun', 'ended')),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- null = no key was asked for.
  key_id text,
  key_name text,
  -- http, or cli for what the command line did on the database itself.
  channel text NOT NULL CHECK (channel IN ('http', 'cli')),
  action text NOT NULL,
  target text,
  -- json, not jsonb: what was asked for is kept as it came, and jsonb refuses a NUL.
  detail json,
  address text,
  request_id text,
  -- Of the second row: ok, refused (it was not done), or failed.
  result text CHECK (result IN ('ok', 'refused', 'failed')),
  code text,
  CHECK ((phase = 'ended') = (result IS NOT NULL)),
  UNIQUE (act_id, phase)
);
CREATE INDEX audit_entries_at ON public.audit_entries (at DESC, audit_id DESC) WHERE phase = 'begun';
CREATE FUNCTION public.kindred_refuse_audit_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  RAISE EXCEPTION 'The audit can be added to only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE ON public.audit_entries
  FOR EACH ROW EXECUTE FUNCTION public.kindred_refuse_audit_change();
CREATE TRIGGER audit_entries_no_truncate BEFORE TRUNCATE ON public.audit_entries
  FOR EACH STATEMENT EXECUTE FUNCTION public.kindred_refuse_audit_change();
ALTER TABLE public.audit_entries ENABLE ALWAYS TRIGGER audit_entries_append_only;
ALTER TABLE public.audit_entries ENABLE ALWAYS TRIGGER audit_entries_no_truncate`;
