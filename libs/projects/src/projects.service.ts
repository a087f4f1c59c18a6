import type { WithinWrite } from '#database';
import { IndexDirectory, type ConsistencyToken, type IndexEntryStatus, type TokenState } from '#sync';
import { DomainError } from '#kernel';
import { foreignCursor, type WriteCondition } from '#rules';
import { Injectable } from '@nestjs/common';
import { PROJECT_SOURCE, type Project, type ProjectFields, type ProjectPatch } from './project.js';
import { decodeCursor, encodeCursor } from './project-list.cursor.js';
import type { ProjectListQuery, ProjectSort } from './project-list.js';
import { ProjectRepository, type ExpectedVersions } from './project.repository.js';

/** How a write stands in the index: `pending` also when the engine cannot say. */
export type IndexState = 'pending' | 'synced' | 'dead';

export interface WriteOptions {
  /** Waits at most this long for the index; 0 = not at all. */
  readonly waitForIndexMs: number;
}

export interface ConditionalWriteOptions extends WriteOptions {
  readonly expected: ExpectedVersions;
}

export interface CreateOptions extends WriteOptions {
  /** Is committed together with the row. */
  readonly within?: WithinWrite<Project>;
}

export interface ReplaceOptions extends WriteOptions {
  readonly condition: WriteCondition;
  /** Whether an existing row may only be replaced under a condition. */
  readonly isConditionRequired: boolean;
}

export interface DeletedProjects {
  readonly deletedCount: number;
  /** Ids that no row had, each once, in the order of the request. */
  readonly notFound: readonly string[];
}

/** What became of a write beyond the row. */
export interface WriteOutcome {
  readonly indexState: IndexState;
  /** Names the write, for searches that must show it; `null` = the engine could not say. */
  readonly token: ConsistencyToken | null;
}

export interface WrittenProject extends WriteOutcome {
  readonly project: Project;
}

const INDEX_STATES: Readonly<Record<TokenState, IndexState>> = { reached: 'synced', dead: 'dead', behind: 'pending' };

export interface ProjectPage {
  readonly items: Project[];
  /** `null` on the last page. */
  readonly nextCursor: string | null;
}

export interface ProjectIndexStatus {
  readonly project: Project;
  /** `null` = the ledger does not know the row (yet). */
  readonly entry: IndexEntryStatus | null;
}

/** What can be done with projects. A write is one committed statement; it never waits for index or model unless the caller asks for it, and never fails because of them. */
@Injectable()
export class ProjectsService {
  constructor(
    private readonly repository: ProjectRepository,
    private readonly directory: IndexDirectory,
  ) {}

  /** @throws DomainError `projects.external-id-taken` */
  async create(fields: ProjectFields, options: CreateOptions): Promise<WrittenProject> {
    return this.written(await this.repository.insert(fields, options.within), options);
  }

  /** @throws DomainError `projects.not-found` */
  async get(id: string): Promise<Project> {
    const project = await this.repository.find(id);
    if (project === null) throw new DomainError('projects.not-found');
    return project;
  }

  /**
   * Returns a page.
   *
   * @throws DomainError `request.invalid` when the cursor is damaged or belongs to another query
   */
  async list(query: Omit<ProjectListQuery, 'after'> & { readonly cursor: string | null }): Promise<ProjectPage> {
    const after = query.cursor === null ? null : decodeCursor(query.cursor, query);
    if (query.cursor !== null && after === null) throw foreignCursor();
    const { items, hasMore } = await this.repository.list({ ...query, after });
    const last = items.at(-1);
    const nextCursor = hasMore && last !== undefined ? encodeCursor(query, { value: sortValueOf(last, query.sort), id: last.id }) : null;
    return { items, nextCursor };
  }

  /** Writes the whole row. @throws DomainError `projects.not-found`, `request.precondition-failed`, `projects.external-id-taken` */
  async replace(id: string, fields: ProjectFields, options: ConditionalWriteOptions): Promise<WrittenProject> {
    return this.written(await this.repository.update(id, fields, options.expected), options);
  }

  /**
   * Writes the whole row that has this `external_id`, or makes one. Two callers at the same moment: one makes it, the other replaces it.
   *
   * @throws DomainError `request.precondition-failed`; `request.precondition-required` when the row exists and a condition is demanded but missing
   */
  async replaceByExternalId(
    externalId: string,
    fields: ProjectFields,
    options: ReplaceOptions,
  ): Promise<WrittenProject & { isCreated: boolean }> {
    const { condition, isConditionRequired } = options;
    const isBlind = isConditionRequired && condition.expected === null && condition.refused.length === 0;
    try {
      const { project, isCreated } = await this.repository.replaceByExternalId(
        externalId,
        fields,
        isBlind ? { ...condition, refused: 'any' } : condition,
      );
      return { ...(await this.written(project, options)), isCreated };
    } catch (error) {
      if (isBlind && error instanceof DomainError && error.code === 'request.precondition-failed')
        throw new DomainError('request.precondition-required', { cause: error });
      throw error;
    }
  }

  /** Deletes all that exist, in one statement. */
  async deleteMany(ids: readonly string[]): Promise<DeletedProjects> {
    const wanted = new Set(ids);
    const deleted = await this.repository.deleteMany([...wanted]);
    this.directory.wake();
    for (const id of deleted) wanted.delete(id);
    return { deletedCount: deleted.length, notFound: [...wanted] };
  }

  /** Writes the named fields; an empty patch changes nothing and answers with the row. @throws DomainError as {@link replace} */
  async patch(id: string, patch: ProjectPatch, options: ConditionalWriteOptions): Promise<WrittenProject> {
    return this.written(await this.repository.update(id, patch, options.expected), options);
  }

  /** @throws DomainError `projects.not-found`, `request.precondition-failed` */
  async delete(id: string, options: ConditionalWriteOptions): Promise<WriteOutcome> {
    await this.repository.delete(id, options.expected);
    return this.outcomeOf(id, options);
  }

  /** Says where the row stands on its way into the index. @throws DomainError `projects.not-found` */
  async indexStatus(id: string): Promise<ProjectIndexStatus> {
    const [project, entry] = await Promise.all([this.get(id), this.directory.entryStatus(PROJECT_SOURCE, id)]);
    return { project, entry };
  }

  private async written(project: Project, options: WriteOptions): Promise<WrittenProject> {
    return { project, ...(await this.outcomeOf(project.id, options)) };
  }

  /** Never rejects: the write has happened, whatever engine and index do. */
  private async outcomeOf(id: string, { waitForIndexMs }: WriteOptions): Promise<WriteOutcome> {
    this.directory.wake();
    const token = await this.directory.tokenFor(PROJECT_SOURCE, id);
    return { token, indexState: token === null || waitForIndexMs === 0 ? 'pending' : await this.waitFor(token, waitForIndexMs) };
  }

  private async waitFor(token: ConsistencyToken, waitMs: number): Promise<IndexState> {
    try {
      const { state } = await this.directory.waitForToken(token, waitMs);
      return INDEX_STATES[state];
    } catch {
      return 'pending';
    }
  }
}

function sortValueOf(project: Project, { column }: ProjectSort): string | null {
  const value = project[column];
  return value === null ? null : String(value);
}
