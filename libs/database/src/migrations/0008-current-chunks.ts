import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * `chunked_version` tells chunks that say what the document says now from those that do not any more, and collections know the model whose tokens their
 * chunks were counted in.
 */
export class CurrentChunks1790000000008 implements MigrationInterface {
  readonly name = 'CurrentChunks1790000000008';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(MODEL);
    await runner.query(touchDocument(KEEP_CURRENT));
    await runner.query(`
      DROP TRIGGER collections_touch ON public.collections;
      ${touchCollection(`UPDATE OF ${COLLECTION_COLUMNS}`)};
      ${rechunkCollection('chunked_version = version')};
      DROP TRIGGER collections_rechunk ON public.collections;
      ${rechunkTrigger(`${SETTINGS_CHANGE}
        OR (OLD.chunking_model_rev IS NOT NULL AND OLD.chunking_model_rev IS DISTINCT FROM NEW.chunking_model_rev)`)}
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(touchDocument(''));
    await runner.query(`
      DROP TRIGGER collections_touch ON public.collections;
      ${touchCollection('UPDATE')};
      ${rechunkCollection('chunked_version IS NOT NULL')};
      DROP TRIGGER collections_rechunk ON public.collections;
      ${rechunkTrigger(SETTINGS_CHANGE)};
      ALTER TABLE public.collections DROP COLUMN chunking_model_rev;
    `);
  }
}

const MODEL = `
-- Of the model by whose tokens the chunks are cut; null = no process has looked yet.
ALTER TABLE public.collections ADD COLUMN chunking_model_rev text`;

/** All but the model: which one it is is no change of the collection. */
const COLLECTION_COLUMNS =
  'id, name, description, language, chunk_tokens, chunk_overlap_tokens, metadata_keys, version, created_at, updated_at';
const SETTINGS_CHANGE = `(OLD.language, OLD.chunk_tokens, OLD.chunk_overlap_tokens, OLD.metadata_keys)
        IS DISTINCT FROM (NEW.language, NEW.chunk_tokens, NEW.chunk_overlap_tokens, NEW.metadata_keys)`;

/** NULL means that chunks are made anew although what they say is true; so it may not stay NULL when it is true no longer. */
const KEEP_CURRENT = `
  IF (NEW.id, NEW.collection_id, NEW.title, NEW.content, NEW.kind, NEW.language, NEW.metadata)
    IS DISTINCT FROM (OLD.id, OLD.collection_id, OLD.title, OLD.content, OLD.kind, OLD.language, OLD.metadata) THEN
    NEW.chunked_version := coalesce(OLD.chunked_version, 0);
  ELSIF OLD.chunked_version = OLD.version THEN
    -- Nothing that chunks are made from.
    NEW.chunked_version := NEW.version;
  END IF;`;

function touchDocument(keepCurrent: string): string {
  return `
CREATE OR REPLACE FUNCTION public.kindred_touch_document() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  NEW.version := OLD.version + 1;
  NEW.created_at := OLD.created_at;
  NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at);
  NEW.chunking_error := NULL;
  NEW.chunking_until := NULL;${keepCurrent}
  RETURN NEW;
END $$`;
}

function touchCollection(event: string): string {
  return `
CREATE TRIGGER collections_touch BEFORE ${event} ON public.collections FOR EACH ROW EXECUTE FUNCTION public.kindred_touch_collection();
ALTER TABLE public.collections ENABLE ALWAYS TRIGGER collections_touch`;
}

/** @param condition on documents whose chunks are made anew; those of the others are anyway */
function rechunkCollection(condition: string): string {
  return `
CREATE OR REPLACE FUNCTION public.kindred_rechunk_collection() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE public.documents SET chunked_version = NULL WHERE collection_id = NEW.id AND ${condition};
  RETURN NULL;
END $$`;
}

function rechunkTrigger(condition: string): string {
  return `
CREATE TRIGGER collections_rechunk AFTER UPDATE ON public.collections FOR EACH ROW
  WHEN (${condition}) EXECUTE FUNCTION public.kindred_rechunk_collection();
ALTER TABLE public.collections ENABLE ALWAYS TRIGGER collections_rechunk`;
}
