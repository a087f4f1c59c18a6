import { quoteIdentifier, type ReadOnlySource, type SqlSession } from '#database';
import { DomainError } from '#kernel';
import { IMPORT_FIELDS, type ColumnMapping, type ImportField } from './column-mapping.js';
import { PgvectorImportError } from './pgvector-import.error.js';
import type { SourceRow } from './source-row.js';

/** The same under every search path, and pgvector's own name; a domain of that name serves as well. */
const VECTOR_TYPE = 'vector';

const COLUMNS = `
SELECT a.attname AS name, t.typname AS type FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = pg_catalog.to_regclass($1::text) AND a.attnum > 0 AND NOT a.attisdropped`;
const WHERE_IT_IS = `SELECT coalesce(host(inet_server_addr()), 'socket') || ':' || coalesce(inet_server_port()::text, '') || '/' || current_database() AS place`;

export interface SourceCount {
  readonly rows: number;
  readonly withoutId: number;
}

/** One table (or view) of a foreign database, in pages by its id column. Names reach the SQL quoted, values as parameters only. */
export class PgvectorTable {
  private constructor(
    private readonly source: ReadOnlySource,
    private readonly table: string,
    private readonly mapping: ColumnMapping,
    /** Server, database and table, for people and to tell one source from another: no user, no password. */
    readonly description: string,
  ) {}

  /**
   * Finds the table and its columns.
   *
   * @param name `table` or `schema.table`
   * @throws PgvectorImportError when table or column do not exist, or the vector column is of another type
   */
  static async open(source: ReadOnlySource, name: string, mapping: ColumnMapping): Promise<PgvectorTable> {
    const parts = name.split('.');
    if (parts.length > 2 || parts.includes('')) throw new PgvectorImportError(`--table must be table or schema.table, not ${name}`);
    const table = parts.map(quoteIdentifier).join('.');
    const { columns, place } = await reading(source, async (session) => ({
      columns: (await session.query<{ name: string; type: string }>(COLUMNS, [table])).rows,
      place: (await session.query<{ place: string }>(WHERE_IT_IS)).rows[0]!.place,
    }));
    if (columns.length === 0) throw new PgvectorImportError(`The source has no table ${name}`);
    const types = new Map(columns.map((column) => [column.name, column.type]));
    for (const field of IMPORT_FIELDS) {
      const column = mapping[field];
      if (column !== undefined && !types.has(column)) throw new PgvectorImportError(`Table ${name} has no column ${column} (for ${field})`);
    }
    const vectorType = mapping.vector === undefined ? VECTOR_TYPE : types.get(mapping.vector)!;
    if (vectorType !== VECTOR_TYPE) {
      throw new PgvectorImportError(`Column ${mapping.vector} is of type ${vectorType}; only ${VECTOR_TYPE} can be imported`);
    }
    return new PgvectorTable(source, table, mapping, `${place} ${table}`);
  }

  async count(): Promise<SourceCount> {
    const id = this.column('external_id');
    const sql = `SELECT count(*)::text AS rows, (count(*) - count(${id}))::text AS without_id FROM ${this.table} s`;
    const { rows } = await reading(this.source, (session) => session.query<{ rows: string; without_id: string }>(sql));
    return { rows: Number(rows[0]!.rows), withoutId: Number(rows[0]!.without_id) };
  }

  /**
   * Rows behind the id `after`, in the order of their ids; rows without an id never come. Rows that share the last id all come, so a page can be longer than `limit`.
   *
   * @param hasVectors whether the vectors are read as well, which are most of the bytes
   */
  async page(after: string | null, limit: number, hasVectors: boolean): Promise<SourceRow[]> {
    return this.select(this.fields(hasVectors), after, limit);
  }

  /** All rows with these ids, in no order. */
  async rows(ids: readonly string[], hasVectors: boolean): Promise<SourceRow[]> {
    const sql = `SELECT ${this.columns(this.fields(hasVectors))} FROM ${this.table} s WHERE ${this.column('external_id')} = ANY($1)`;
    return this.read(sql, [ids]);
  }

  /** Like {@link page}, ids and collections only. */
  async keys(after: string | null, limit: number): Promise<SourceRow[]> {
    return this.select(this.mapping.collection === undefined ? ['external_id'] : ['external_id', 'collection'], after, limit);
  }

  /** Text forms of the vectors of rows, by id; those without a vector are absent. */
  async vectors(ids: readonly string[]): Promise<Map<string, string>> {
    const [id, vector] = [this.column('external_id'), this.column('vector')];
    const sql = `SELECT ${id}::text AS id, ${vector}::text AS vector FROM ${this.table} s WHERE ${id} = ANY($1) AND ${vector} IS NOT NULL`;
    const { rows } = await reading(this.source, (session) => session.query<{ id: string; vector: string }>(sql, [ids]));
    return new Map(rows.map((row) => [row.id, row.vector]));
  }

  private async select(fields: readonly ImportField[], after: string | null, limit: number): Promise<SourceRow[]> {
    const id = this.column('external_id');
    // The parameter takes the type of the column, so its own order and its index serve. WITH TIES: rows that share an id are never torn apart.
    const sql = `SELECT ${this.columns(fields)} FROM ${this.table} s WHERE ${id} ${after === null ? 'IS NOT NULL' : '> $2'} ORDER BY ${id} FETCH FIRST $1 ROWS WITH TIES`;
    return this.read(sql, after === null ? [limit] : [limit, after]);
  }

  private async read(sql: string, parameters: readonly unknown[]): Promise<SourceRow[]> {
    const { rows } = await reading(this.source, (session) => session.query<Record<ImportField, string | null>>(sql, parameters));
    return rows.map(({ external_id, ...values }) => ({ id: external_id!, values }));
  }

  private fields(hasVectors: boolean): ImportField[] {
    return IMPORT_FIELDS.filter((field) => this.mapping[field] !== undefined && (hasVectors || field !== 'vector'));
  }

  private columns(fields: readonly ImportField[]): string {
    return fields.map((field) => `${this.column(field)}::text AS ${quoteIdentifier(field)}`).join(', ');
  }

  private column(field: ImportField): string {
    return `s.${quoteIdentifier(this.mapping[field]!)}`;
  }
}

/** What the source refuses is said in its own words, and as its refusal: Kindred's own database speaks the same language. */
async function reading<T>(source: ReadOnlySource, work: (session: SqlSession) => Promise<T>): Promise<T> {
  try {
    return await source.read(work);
  } catch (error) {
    const cause = error instanceof DomainError && error.cause instanceof Error ? error.cause : error;
    throw new PgvectorImportError(`The source cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause: error });
  }
}
