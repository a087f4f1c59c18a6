import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Rows, ledger, generations and cache; names and types are those of the public contract. */
export class Foundation1790000000001 implements MigrationInterface {
  readonly name = 'Foundation1790000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(UUID_V7);
    await runner.query(PROJECTS);
    await runner.query(GENERATIONS);
    await runner.query(LEDGER);
    await runner.query(EMBEDDING_CACHE);
    await runner.query(CAPTURE);
    await runner.query(`SELECT public.kindred_watch('public.projects', 'projects')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE public.projects, public.embedding_cache, public.index_ledger, public.index_generations;
      DROP SEQUENCE public.index_version_seq;
      DROP FUNCTION public.kindred_watch(regclass, text), public.kindred_capture_insert(), public.kindred_capture_update(), public.kindred_capture_delete(),
        public.kindred_capture_truncate(), public.kindred_mark_changed(text, uuid[]), public.kindred_touch_project(), public.kindred_uuid_v7();
    `);
  }
}

/** RFC 9562 version 7 from the statement-independent clock; PostgreSQL has its own only from 18 on, and 14 is supported. */
const UUID_V7 = `
CREATE FUNCTION public.kindred_uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE SET search_path = pg_catalog AS $$
  SELECT encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid()) PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
    52, 1), 53, 1), 'hex')::uuid
$$`;

const PROJECTS = `
CREATE TABLE public.projects (
  id uuid PRIMARY KEY DEFAULT public.kindred_uuid_v7(),
  name text NOT NULL,
  description text NOT NULL,
  project_type text,
  region text,
  wood_type text,
  total_area_sqm numeric(10,2),
  complexity smallint CHECK (complexity BETWEEN 1 AND 5),
  final_price numeric(14,2),
  currency char(3) NOT NULL DEFAULT 'EUR',
  completed_on date,
  external_id text UNIQUE,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX projects_created_at_idx ON public.projects (created_at DESC, id DESC);
CREATE INDEX projects_updated_at_idx ON public.projects (updated_at DESC, id DESC);
CREATE INDEX projects_final_price_idx ON public.projects (final_price, id);
CREATE INDEX projects_name_idx ON public.projects (name, id);
CREATE FUNCTION public.kindred_touch_project() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  NEW.version := OLD.version + 1;
  NEW.created_at := OLD.created_at;
  NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at);
  RETURN NEW;
END $$;
CREATE TRIGGER projects_touch BEFORE UPDATE ON public.projects FOR EACH ROW EXECUTE FUNCTION public.kindred_touch_project();
ALTER TABLE public.projects ENABLE ALWAYS TRIGGER projects_touch`;

const GENERATIONS = `
CREATE TABLE public.index_generations (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source text NOT NULL,
  collection text NOT NULL UNIQUE,
  model_rev text NOT NULL,
  template_rev text NOT NULL,
  dimensions integer NOT NULL CHECK (dimensions > 0),
  state text NOT NULL CHECK (state IN ('building', 'serving', 'standby', 'retired')),
  embedder jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  filled_at timestamptz
);
-- Exactly one generation answers queries; a second operator's switch fails here.
CREATE UNIQUE INDEX index_generations_one_serving_idx ON public.index_generations (source) WHERE state = 'serving'`;

const LEDGER = `
-- One sequence for all keys, uncached: versions of a key must only grow, also when the key is purged and comes back.
CREATE SEQUENCE public.index_version_seq AS bigint CACHE 1;
CREATE TABLE public.index_ledger (
  generation_id integer NOT NULL REFERENCES public.index_generations (id),
  source_id uuid NOT NULL,
  version bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'synced', 'dead', 'tombstone')),
  changed_at timestamptz NOT NULL DEFAULT now(),
  in_doubt boolean NOT NULL DEFAULT false,
  indexed_version bigint,
  indexed_hash bytea,
  indexed_payload_hash bytea,
  attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  lease_token uuid,
  lease_until timestamptz,
  last_error jsonb,
  PRIMARY KEY (generation_id, source_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
-- The claim's order; only what is due is in it, so it stays small however large the table is.
CREATE INDEX index_ledger_due_idx ON public.index_ledger (attempts, next_attempt_at) WHERE state IN ('pending', 'tombstone');
CREATE INDEX index_ledger_indexed_hash_idx ON public.index_ledger (indexed_hash) WHERE indexed_hash IS NOT NULL`;

const EMBEDDING_CACHE = `
CREATE TABLE public.embedding_cache (
  text_hash bytea PRIMARY KEY,
  vector bytea NOT NULL,
  is_truncated boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz NOT NULL DEFAULT now()
);
-- float32 of a unit vector does not compress; trying costs time on every write.
ALTER TABLE public.embedding_cache ALTER COLUMN vector SET STORAGE EXTERNAL`;

/**
 * Capture (protocol rule 1). Statement triggers with transition tables: one set-based upsert for a bulk change, in the writer's own transaction.
 * The triggers are SECURITY DEFINER, so that a role that may write rows needs no right on the ledger; fixed search_path and qualified names, so that it cannot be led elsewhere.
 */
const CAPTURE = `
CREATE FUNCTION public.kindred_mark_changed(source_name text, ids uuid[]) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO public.index_ledger AS l (generation_id, source_id, version, state, changed_at)
  SELECT g.id, c.id, nextval('public.index_version_seq'), 'pending', now()
  FROM unnest(ids) AS c (id), public.index_generations g
  WHERE g.source = source_name AND g.state <> 'retired'
  ORDER BY 1, 2
  ON CONFLICT (generation_id, source_id) DO UPDATE SET
    state = 'pending',
    attempts = 0,
    changed_at = CASE l.state WHEN 'pending' THEN l.changed_at ELSE now() END,
    version = greatest(l.version + 1, nextval('public.index_version_seq')),
    next_attempt_at = CASE l.state WHEN 'pending' THEN least(l.next_attempt_at, now()) ELSE now() END
$$;

CREATE FUNCTION public.kindred_capture_insert() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM public.kindred_mark_changed(TG_ARGV[0], array_agg(id)) FROM new_rows HAVING count(*) > 0;
  RETURN NULL;
END $$;

CREATE FUNCTION public.kindred_capture_update() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- UNION, not UNION ALL: an upsert cannot touch one key twice. Old and new, because an id may be changed.
  PERFORM public.kindred_mark_changed(TG_ARGV[0], array_agg(id)) FROM (SELECT id FROM old_rows UNION SELECT id FROM new_rows) AS changed HAVING count(*) > 0;
  RETURN NULL;
END $$;

CREATE FUNCTION public.kindred_capture_delete() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM public.kindred_mark_changed(TG_ARGV[0], array_agg(id)) FROM old_rows HAVING count(*) > 0;
  RETURN NULL;
END $$;

CREATE FUNCTION public.kindred_capture_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- A snapshot older than the TRUNCATE would miss ledger entries that committed after it was taken.
  IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'TRUNCATE of % needs READ COMMITTED, so that the index hears of every row', TG_TABLE_NAME USING ERRCODE = 'feature_not_supported';
  END IF;
  PERFORM public.kindred_mark_changed(TG_ARGV[0], array_agg(DISTINCT l.source_id))
  FROM public.index_ledger l JOIN public.index_generations g ON g.id = l.generation_id
  WHERE g.source = TG_ARGV[0] HAVING count(*) > 0;
  RETURN NULL;
END $$;

CREATE FUNCTION public.kindred_watch(watched regclass, source_name text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER kindred_capture_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.kindred_capture_insert(%L)', watched, source_name);
  EXECUTE format('CREATE TRIGGER kindred_capture_update AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.kindred_capture_update(%L)', watched, source_name);
  EXECUTE format('CREATE TRIGGER kindred_capture_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION public.kindred_capture_delete(%L)', watched, source_name);
  EXECUTE format('CREATE TRIGGER kindred_capture_truncate AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION public.kindred_capture_truncate(%L)', watched, source_name);
  -- ALWAYS: also for rows that arrive by logical replication or a restore with session_replication_role = replica.
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER kindred_capture_insert, ENABLE ALWAYS TRIGGER kindred_capture_update, ENABLE ALWAYS TRIGGER kindred_capture_delete, ENABLE ALWAYS TRIGGER kindred_capture_truncate', watched);
END $$;

-- Else anybody could put a trigger of these on a table of his own, and have ids of his choice entered. Firing needs no right on the function.
REVOKE ALL ON FUNCTION public.kindred_mark_changed(text, uuid[]), public.kindred_capture_insert(), public.kindred_capture_update(),
  public.kindred_capture_delete(), public.kindred_capture_truncate(), public.kindred_watch(regclass, text) FROM PUBLIC`;
