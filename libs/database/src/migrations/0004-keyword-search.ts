import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Projects are found by their words too. Rewrites the table: docs/operations.md says how long that takes. */
export class KeywordSearch1790000000004 implements MigrationInterface {
  readonly name = 'KeywordSearch1790000000004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SEARCH_TEXT);
    await runner.query(COLUMN);
    await runner.query(TRIGGER);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TRIGGER projects_search_text ON public.projects;
      ALTER TABLE public.projects DROP COLUMN search_text;
      DROP FUNCTION public.kindred_keep_project_search_text(), public.kindred_project_search_text(text, text, text);
    `);
  }
}

/**
 * A row does not say its language. The configuration that leaves out more of the words as stop words is that of the language; a text without any is taken
 * apart as German, whose configuration does less harm to English words than the other way round (ADR 0013).
 *
 * Cut, because a tsvector holds 1 MB at most, and a row that is larger, which only SQL can write, must not be refused for that.
 */
const SEARCH_TEXT = `
CREATE FUNCTION public.kindred_project_search_text(name text, craft text, description text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
DECLARE
  german tsvector := to_tsvector('german', left(description, 100000));
  english tsvector := to_tsvector('english', left(description, 100000));
BEGIN
  IF length(german) <= length(english) THEN
    RETURN setweight(to_tsvector('german', left(name, 10000)), 'A') || setweight(to_tsvector('german', left(craft, 10000)), 'B') || german;
  END IF;
  RETURN setweight(to_tsvector('english', left(name, 10000)), 'A') || setweight(to_tsvector('english', left(craft, 10000)), 'B') || english;
END $$`;

const CRAFT = (row: string) => ['project_type', 'wood_type', 'region'].map((column) => `coalesce(${row}${column}, '')`).join(` || ' ' || `);

/**
 * Generated for as long as it takes to fill it: the rows are written again without an update, so neither their versions nor the index hear of it. Then a plain
 * column, which a trigger keeps, for the tools that compare entities with the schema know no generated ones.
 */
const COLUMN = `
ALTER TABLE public.projects ADD COLUMN search_text tsvector
  GENERATED ALWAYS AS (public.kindred_project_search_text(name, ${CRAFT('')}, description)) STORED;
ALTER TABLE public.projects ALTER COLUMN search_text DROP EXPRESSION;
CREATE INDEX projects_search_text_idx ON public.projects USING gin (search_text)`;

/** UPDATE OF: a new price does not take the texts apart again. */
const TRIGGER = `
CREATE FUNCTION public.kindred_keep_project_search_text() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  NEW.search_text := public.kindred_project_search_text(NEW.name, ${CRAFT('NEW.')}, NEW.description);
  RETURN NEW;
END $$;
CREATE TRIGGER projects_search_text BEFORE INSERT OR UPDATE OF name, description, project_type, wood_type, region, search_text ON public.projects
  FOR EACH ROW EXECUTE FUNCTION public.kindred_keep_project_search_text();
ALTER TABLE public.projects ENABLE ALWAYS TRIGGER projects_search_text`;
