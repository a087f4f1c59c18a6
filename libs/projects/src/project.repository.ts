import { isUniqueViolation, UnitOfWork, type SqlSession, type WithinWrite } from '#database';
import { DomainError } from '#kernel';
import type { WriteCondition } from '#rules';
import { Injectable } from '@nestjs/common';
import type { Project, ProjectFields, ProjectPatch } from './project.js';
import { COLUMNS, projectOf, WRITABLE, type ProjectRecord } from './project-record.js';
import { sqlConditionsOf, type ProjectFilter } from './project-filter.js';
import type { ProjectListQuery } from './project-list.js';
import { listStatementOf } from './project-list.sql.js';

/** The row as it is now, and whether it is new. */
export interface ReplacedProject {
  readonly project: Project;
  readonly isCreated: boolean;
}

/** Versions that a write accepts; `null` = whatever it is. An empty list matches no row. */
export type ExpectedVersions = readonly number[] | null;

const EXTERNAL_ID_CONSTRAINT = 'projects_external_id_key';

const INSERT = `INSERT INTO projects (${WRITABLE.map(([name]) => name).join(', ')})
VALUES (${WRITABLE.map(([, type], index) => `$${index + 1}::${type}`).join(', ')}) RETURNING ${COLUMNS}`;

/* The trigger gives an updated row the next version, so only a new one has the first. */
const FIRST_VERSION = 1;
const UPSERT = `INSERT INTO projects AS p (${WRITABLE.map(([name]) => name).join(', ')})
VALUES (${WRITABLE.map(([, type], index) => `$${index + 1}::${type}`).join(', ')})
ON CONFLICT (external_id) DO UPDATE SET ${WRITABLE.map(([name]) => `${name} = EXCLUDED.${name}`).join(', ')} WHERE`;
const UPDATE_BY_EXTERNAL_ID = `UPDATE projects AS p SET ${WRITABLE.map(([name, type], index) => `${name} = $${index + 1}::${type}`).join(', ')}
WHERE p.external_id = $${WRITABLE.findIndex(([name]) => name === 'external_id') + 1}::text AND`;

const ID_PARAMETER = 1;
const VERSIONS_PARAMETER = 2;
/** In one statement with the write: a version that is checked in another one can be old by then. */
const MATCHES = `id = $${ID_PARAMETER}::uuid AND ($${VERSIONS_PARAMETER}::int[] IS NULL OR version = ANY($${VERSIONS_PARAMETER}::int[]))`;

/** Reads and writes `projects`. Every method is one statement, except the question why a conditional write met no row, and a write that something is committed with. */
@Injectable()
export class ProjectRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** @throws DomainError `projects.external-id-taken`; what `within` throws */
  async insert(fields: ProjectFields, within?: WithinWrite<Project>): Promise<Project> {
    const insert = async (session: SqlSession): Promise<Project> => {
      const { rows } = await write(
        session,
        INSERT,
        WRITABLE.map(([name]) => fields[name]),
      );
      return projectOf(rows[0]!);
    };
    // One statement needs no transaction around it.
    if (within === undefined) return insert(this.unitOfWork);
    return this.unitOfWork.run(async (session) => {
      const project = await insert(session);
      await within(session, project);
      return project;
    });
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
    const { rows } = await write(
      this.unitOfWork,
      `UPDATE projects SET ${assignments.join(', ')} WHERE ${MATCHES} RETURNING ${COLUMNS}`,
      parameters,
    );
    return rows[0] === undefined ? this.explainMiss(id) : projectOf(rows[0]);
  }

  /**
   * Writes the whole row that has this `external_id`, or a new one when there is none, in one statement.
   *
   * @throws DomainError `request.precondition-failed` when the row that is there, or is not, does not meet the condition
   */
  async replaceByExternalId(externalId: string, fields: ProjectFields, { expected, refused }: WriteCondition): Promise<ReplacedProject> {
    const parameters: unknown[] = WRITABLE.map(([name]) => (name === 'external_id' ? externalId : fields[name]));
    const conditions = ['true'];
    if (Array.isArray(expected)) conditions.push(`p.version = ANY($${parameters.push(expected)}::int[])`);
    if (refused === 'any') conditions.push('false');
    else if (refused.length > 0) conditions.push(`p.version <> ALL($${parameters.push(refused)}::int[])`);
    const sql = `${expected === null ? UPSERT : UPDATE_BY_EXTERNAL_ID} ${conditions.join(' AND ')}`;
    const { rows } = await this.unitOfWork.query<ProjectRecord>(`${sql} RETURNING ${COLUMNS}`, parameters);
    if (rows[0] === undefined) throw new DomainError('request.precondition-failed');
    const project = projectOf(rows[0]);
    return { project, isCreated: project.version === FIRST_VERSION };
  }

  /** Deletes those of the rows that exist, in one statement; returns their ids. */
  async deleteMany(ids: readonly string[]): Promise<string[]> {
    const { rows } = await this.unitOfWork.query<{ id: string }>('DELETE FROM projects WHERE id = ANY($1::uuid[]) RETURNING id', [ids]);
    return rows.map(({ id }) => id);
  }

  /** @throws DomainError `projects.not-found`, `request.precondition-failed` */
  async delete(id: string, expected: ExpectedVersions, session: SqlSession = this.unitOfWork): Promise<void> {
    const { rows } = await session.query(`DELETE FROM projects WHERE ${MATCHES} RETURNING id`, [id, expected]);
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
}

async function write(session: SqlSession, sql: string, parameters: unknown[]) {
  try {
    return await session.query<ProjectRecord>(sql, parameters);
  } catch (error) {
    if (isUniqueViolation(error, EXTERNAL_ID_CONSTRAINT)) throw new DomainError('projects.external-id-taken', { cause: error });
    throw error;
  }
}
