import { UnitOfWork, type SqlSession } from '#database';
import { DomainError } from '#kernel';
import { Injectable } from '@nestjs/common';
import { isExternalIdViolation } from './persistence/external-id-violation.js';
import type { Project, ProjectFields, ProjectPatch } from './project.js';
import { sqlConditionsOf, type ProjectFilter } from './project-filter.js';
import type { ProjectListQuery } from './project-list.js';
import { listStatementOf } from './project-list.sql.js';

/** Versions that a write accepts; `null` = whatever it is. An empty list matches no row. */
export type ExpectedVersions = readonly number[] | null;

/** Writable columns with their types, in the order of the parameters. */
const WRITABLE_COLUMNS = {
  name: 'text',
  description: 'text',
  project_type: 'text',
  region: 'text',
  wood_type: 'text',
  total_area_sqm: 'numeric',
  complexity: 'smallint',
  final_price: 'numeric',
  currency: 'text',
  completed_on: 'date',
  external_id: 'text',
} as const satisfies Record<keyof ProjectFields, string>;

const WRITABLE = Object.entries(WRITABLE_COLUMNS) as [keyof ProjectFields, string][];

/**
 * Every column in the form of the API; times are converted here, so that no driver setting decides it. Their aliases differ from the columns:
 * ORDER BY would take an alias of the same name, that is the text, and miss the index.
 */
const TIME_FORMAT = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`;
const asTime = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', ${TIME_FORMAT}) AS ${column}_text`;
const COLUMNS = [
  'id, name, description, project_type, region, wood_type, total_area_sqm, complexity, final_price, currency',
  `to_char(completed_on, 'YYYY-MM-DD') AS completed_on, external_id, version`,
  asTime('created_at'),
  asTime('updated_at'),
].join(', ');

/** A row as the driver gives it: numeric as text. */
interface ProjectRecord extends Omit<Project, 'total_area_sqm' | 'final_price' | 'created_at' | 'updated_at'> {
  readonly total_area_sqm: string | null;
  readonly final_price: string | null;
  readonly created_at_text: string;
  readonly updated_at_text: string;
}

const INSERT = `INSERT INTO projects (${WRITABLE.map(([name]) => name).join(', ')})
VALUES (${WRITABLE.map(([, type], index) => `$${index + 1}::${type}`).join(', ')}) RETURNING ${COLUMNS}`;

const ID_PARAMETER = 1;
const VERSIONS_PARAMETER = 2;
/** In one statement with the write: a version that is checked in another one can be old by then. */
const MATCHES = `id = $${ID_PARAMETER}::uuid AND ($${VERSIONS_PARAMETER}::int[] IS NULL OR version = ANY($${VERSIONS_PARAMETER}::int[]))`;

/** Reads and writes `projects`. Every method is one statement, except the question why a conditional write met no row. */
@Injectable()
export class ProjectRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** @throws DomainError `projects.external-id-taken` */
  async insert(fields: ProjectFields): Promise<Project> {
    const { rows } = await this.write(
      INSERT,
      WRITABLE.map(([name]) => fields[name]),
    );
    return projectOf(rows[0]!);
  }

  /** @returns `null` when there is no such row */
  async find(id: string): Promise<Project | null> {
    const { rows } = await this.unitOfWork.query<ProjectRecord>(`SELECT ${COLUMNS} FROM projects WHERE id = $1::uuid`, [id]);
    return rows[0] === undefined ? null : projectOf(rows[0]);
  }

  /** Reads the rows that exist and meet the filter, by id, in one statement. */
  async findMatching(ids: readonly string[], filter: ProjectFilter): Promise<Map<string, Project>> {
    if (ids.length === 0) return new Map();
    const parameters: unknown[] = [ids];
    const conditions = ['id = ANY($1::uuid[])', ...sqlConditionsOf(filter, parameters)];
    const { rows } = await this.unitOfWork.query<ProjectRecord>(
      `SELECT ${COLUMNS} FROM projects WHERE ${conditions.join(' AND ')}`,
      parameters,
    );
    return new Map(rows.map((row) => [row.id, projectOf(row)]));
  }

  /** Reads one page, and whether another one follows. */
  async list(query: ProjectListQuery): Promise<{ readonly items: Project[]; readonly hasMore: boolean }> {
    const { sql, parameters } = listStatementOf(query, COLUMNS);
    const { rows } = await this.unitOfWork.query<ProjectRecord>(sql, parameters);
    return { items: rows.slice(0, query.limit).map(projectOf), hasMore: rows.length > query.limit };
  }

  /**
   * Writes the named columns when the row has one of the expected versions.
   *
   * @throws DomainError `projects.not-found`, `request.precondition-failed`, `projects.external-id-taken`
   */
  async update(id: string, patch: ProjectPatch, expected: ExpectedVersions): Promise<Project> {
    const parameters: unknown[] = [id, expected];
    const assignments = WRITABLE.filter(([name]) => patch[name] !== undefined).map(
      ([name, type]) => `${name} = $${parameters.push(patch[name])}::${type}`,
    );
    if (assignments.length === 0) return this.findExpected(id, expected);
    const { rows } = await this.write(`UPDATE projects SET ${assignments.join(', ')} WHERE ${MATCHES} RETURNING ${COLUMNS}`, parameters);
    return rows[0] === undefined ? this.explainMiss(id) : projectOf(rows[0]);
  }

  /** @throws DomainError `projects.not-found`, `request.precondition-failed` */
  async delete(id: string, expected: ExpectedVersions): Promise<void> {
    const { rows } = await this.unitOfWork.query(`DELETE FROM projects WHERE ${MATCHES} RETURNING id`, [id, expected]);
    if (rows.length === 0) await this.explainMiss(id);
  }

  /** The rows among `ids`, as the sync engine reads them: in the caller's snapshot. */
  async loadIn(session: SqlSession, ids: readonly string[]): Promise<Project[]> {
    const { rows } = await session.query<ProjectRecord>(`SELECT ${COLUMNS} FROM projects WHERE id = ANY($1::uuid[])`, [ids]);
    return rows.map(projectOf);
  }

  /** Ids in ascending order behind `after`. */
  async listIdsIn(session: SqlSession, after: string | null, limit: number): Promise<string[]> {
    const { rows } =
      after === null
        ? await session.query<{ id: string }>('SELECT id FROM projects ORDER BY id LIMIT $1::int', [limit])
        : await session.query<{ id: string }>('SELECT id FROM projects WHERE id > $2::uuid ORDER BY id LIMIT $1::int', [limit, after]);
    return rows.map(({ id }) => id);
  }

  /** Rows by the last two hex digits of their id. */
  async countByBucketIn(session: SqlSession): Promise<Map<string, number>> {
    const { rows } = await session.query<{ bucket: string; count: number }>(
      `SELECT encode(substring(uuid_send(id) FROM 16), 'hex') AS bucket, count(*)::integer AS count FROM projects GROUP BY 1`,
    );
    return new Map(rows.map(({ bucket, count }) => [bucket, count]));
  }

  private async findExpected(id: string, expected: ExpectedVersions): Promise<Project> {
    const project = await this.find(id);
    if (project === null) throw new DomainError('projects.not-found');
    if (expected !== null && !expected.includes(project.version)) throw new DomainError('request.precondition-failed');
    return project;
  }

  /** Only after a miss, so the way that succeeds stays one statement. */
  private async explainMiss(id: string): Promise<never> {
    const { rows } = await this.unitOfWork.query('SELECT 1 FROM projects WHERE id = $1::uuid', [id]);
    throw new DomainError(rows.length === 0 ? 'projects.not-found' : 'request.precondition-failed');
  }

  private async write(sql: string, parameters: unknown[]) {
    try {
      return await this.unitOfWork.query<ProjectRecord>(sql, parameters);
    } catch (error) {
      if (isExternalIdViolation(error)) throw new DomainError('projects.external-id-taken', { cause: error });
      throw error;
    }
  }
}

function projectOf(row: ProjectRecord): Project {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    project_type: row.project_type,
    region: row.region,
    wood_type: row.wood_type,
    total_area_sqm: numberOf(row.total_area_sqm),
    complexity: row.complexity,
    final_price: numberOf(row.final_price),
    currency: row.currency,
    completed_on: row.completed_on,
    external_id: row.external_id,
    version: row.version,
    created_at: row.created_at_text,
    updated_at: row.updated_at_text,
  };
}

/** numeric(14,2) fits a double exactly (15 digits). NaN, which raw SQL can store, has no JSON form. */
function numberOf(text: string | null): number | null {
  const value = text === null ? null : Number(text);
  return Number.isNaN(value) ? null : value;
}
