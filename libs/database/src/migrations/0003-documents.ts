import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A second source: documents in collections, and the chunks that are derived from them and kept in step with the index. */
export class Documents1790000000003 implements MigrationInterface {
  readonly name = 'Documents1790000000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(COLLECTIONS);
    await runner.query(DOCUMENTS);
    await runner.query(CHUNKS);
    await runner.query(TOUCH);
    await runner.query(`SELECT public.kindred_watch('public.chunks', 'documents')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE public.chunks, public.documents, public.collections;
      DROP FUNCTION public.kindred_touch_document(), public.kindred_touch_collection(), public.kindred_rechunk_collection(),
        public.kindred_chunk_search_text();
    `);
  }
}

const COLLECTIONS = `
CREATE TABLE public.collections (
  id uuid PRIMARY KEY DEFAULT public.kindred_uuid_v7(),
  name text NOT NULL UNIQUE,
  description text,
  -- Of documents that name none; null = it is detected.
  language text,
  chunk_tokens integer NOT NULL DEFAULT 200 CONSTRAINT collections_chunk_tokens_check CHECK (chunk_tokens BETWEEN 32 AND 8192),
  chunk_overlap_tokens integer NOT NULL DEFAULT 24 CONSTRAINT collections_chunk_overlap_tokens_check CHECK (chunk_overlap_tokens >= 0 AND chunk_overlap_tokens * 2 <= chunk_tokens),
  -- The keys of metadata that filters may name, with their types: {"topic": "keyword", "year": "number", "public": "boolean"}.
  metadata_keys jsonb NOT NULL DEFAULT '{}',
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
)`;

const DOCUMENTS = `
CREATE TABLE public.documents (
  id uuid PRIMARY KEY DEFAULT public.kindred_uuid_v7(),
  collection_id uuid NOT NULL CONSTRAINT documents_collection_id_fkey REFERENCES public.collections (id) ON DELETE CASCADE,
  external_id text,
  title text NOT NULL,
  content text NOT NULL,
  kind text,
  source_uri text,
  language text,
  metadata jsonb NOT NULL DEFAULT '{}',
  version integer NOT NULL DEFAULT 1,
  -- The version that the chunks were made from; null = none yet, or the settings of the collection have changed since.
  chunked_version integer,
  -- Until then one process makes the chunks, by the database's clock; others leave the document alone.
  chunking_until timestamptz,
  -- Why the last try failed.
  chunking_error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT documents_external_id_key UNIQUE (collection_id, external_id)
);
-- Small however many documents there are: only what has no chunks yet is in it.
CREATE INDEX documents_unchunked_idx ON public.documents (id) WHERE chunked_version IS DISTINCT FROM version;
CREATE INDEX documents_created_at_idx ON public.documents (created_at DESC, id DESC);
CREATE INDEX documents_updated_at_idx ON public.documents (updated_at DESC, id DESC);
CREATE INDEX documents_title_idx ON public.documents (title, id)`;

/** Everything that the index needs of a chunk is in its own row: what the triggers see is all that can change a point. */
const CHUNKS = `
CREATE TABLE public.chunks (
  -- uuid v5 of the document and the place in it: the same place has the same id again.
  id uuid PRIMARY KEY,
  document_id uuid NOT NULL CONSTRAINT chunks_document_id_fkey REFERENCES public.documents (id) ON DELETE CASCADE,
  collection_id uuid NOT NULL,
  ordinal integer NOT NULL,
  -- UTF-16 code units of the content, as JavaScript counts: content.slice(start_offset, end_offset) = text.
  start_offset integer NOT NULL,
  end_offset integer NOT NULL,
  -- Title and headings above: embedded and searched with the text.
  context text NOT NULL,
  text text NOT NULL,
  text_hash bytea NOT NULL,
  language text,
  payload jsonb NOT NULL,
  -- Of context and text; a trigger keeps it, for the tools that compare entities with the schema know no generated columns.
  search_text tsvector
);
CREATE INDEX chunks_document_idx ON public.chunks (document_id, ordinal);
CREATE INDEX chunks_collection_idx ON public.chunks (collection_id);
CREATE INDEX chunks_search_text_idx ON public.chunks USING gin (search_text);

-- A language of its own configuration where it is known, both of the house where it is not.
CREATE FUNCTION public.kindred_chunk_search_text() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  configurations regconfig[] := CASE split_part(NEW.language, '-', 1)
    WHEN 'de' THEN ARRAY['german'] WHEN 'en' THEN ARRAY['english'] ELSE CASE WHEN NEW.language IS NULL THEN ARRAY['german', 'english'] ELSE ARRAY['simple'] END
  END::regconfig[];
  configuration regconfig;
BEGIN
  NEW.search_text := '';
  FOREACH configuration IN ARRAY configurations LOOP
    NEW.search_text := NEW.search_text || setweight(to_tsvector(configuration, NEW.context), 'A') || to_tsvector(configuration, NEW.text);
  END LOOP;
  RETURN NEW;
END $$;
CREATE TRIGGER chunks_search_text BEFORE INSERT OR UPDATE OF context, text, language, search_text ON public.chunks
  FOR EACH ROW EXECUTE FUNCTION public.kindred_chunk_search_text();
ALTER TABLE public.chunks ENABLE ALWAYS TRIGGER chunks_search_text`;

/** UPDATE OF: what the deriver writes about its own work is no change of the document. */
const TOUCH = `
CREATE FUNCTION public.kindred_touch_document() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  NEW.version := OLD.version + 1;
  NEW.created_at := OLD.created_at;
  NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at);
  NEW.chunking_error := NULL;
  NEW.chunking_until := NULL;
  RETURN NEW;
END $$;
CREATE TRIGGER documents_touch BEFORE UPDATE OF id, collection_id, external_id, title, content, kind, source_uri, language, metadata ON public.documents
  FOR EACH ROW EXECUTE FUNCTION public.kindred_touch_document();
ALTER TABLE public.documents ENABLE ALWAYS TRIGGER documents_touch;

CREATE FUNCTION public.kindred_touch_collection() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  NEW.version := OLD.version + 1;
  NEW.created_at := OLD.created_at;
  NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at);
  RETURN NEW;
END $$;
CREATE TRIGGER collections_touch BEFORE UPDATE ON public.collections FOR EACH ROW EXECUTE FUNCTION public.kindred_touch_collection();
ALTER TABLE public.collections ENABLE ALWAYS TRIGGER collections_touch;

-- Chunks depend on these settings, so every document of the collection gets its chunks anew.
CREATE FUNCTION public.kindred_rechunk_collection() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE public.documents SET chunked_version = NULL WHERE collection_id = NEW.id AND chunked_version IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER collections_rechunk AFTER UPDATE ON public.collections FOR EACH ROW
  WHEN ((OLD.language, OLD.chunk_tokens, OLD.chunk_overlap_tokens, OLD.metadata_keys) IS DISTINCT FROM (NEW.language, NEW.chunk_tokens, NEW.chunk_overlap_tokens, NEW.metadata_keys))
  EXECUTE FUNCTION public.kindred_rechunk_collection();
ALTER TABLE public.collections ENABLE ALWAYS TRIGGER collections_rechunk;
REVOKE ALL ON FUNCTION public.kindred_rechunk_collection() FROM PUBLIC`;
