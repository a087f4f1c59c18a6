import { IndexDirectory, type IndexEntryStatus } from '#sync';
import { DomainError } from '#kernel';
import { Injectable } from '@nestjs/common';
import { waitUntilIndexed, type IndexState } from './index-wait.js';
import { PROJECT_SOURCE, type Project, type ProjectFields, type ProjectPatch } from './project.js';
import { decodeCursor, encodeCursor } from './project-list.cursor.js';
import type { ProjectListQuery, ProjectSort } from './project-list.js';
import { ProjectRepository, type ExpectedVersions } from './project.repository.js';

export interface WriteOptions {
  /** Waits at most this long for the index; 0 = not at all. */
  readonly waitForIndexMs: number;
}

export interface ConditionalWriteOptions extends WriteOptions {
  readonly expected: ExpectedVersions;
}

export interface WrittenProject {
  readonly project: Project;
  readonly indexState: IndexState;
}

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
  async create(fields: ProjectFields, options: WriteOptions): Promise<WrittenProject> {
    return this.written(await this.repository.insert(fields), options);
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

  /** Writes the named fields; an empty patch changes nothing and answers with the row. @throws DomainError as {@link replace} */
  async patch(id: string, patch: ProjectPatch, options: ConditionalWriteOptions): Promise<WrittenProject> {
    return this.written(await this.repository.update(id, patch, options.expected), options);
  }

  /** @throws DomainError `projects.not-found`, `request.precondition-failed` */
  async delete(id: string, options: ConditionalWriteOptions): Promise<void> {
    await this.repository.delete(id, options.expected);
    await this.indexed(id, options);
  }

  /** Says where the row stands on its way into the index. @throws DomainError `projects.not-found` */
  async indexStatus(id: string): Promise<ProjectIndexStatus> {
    const [project, entry] = await Promise.all([this.get(id), this.directory.entryStatus(PROJECT_SOURCE, id)]);
    return { project, entry };
  }

  private async written(project: Project, options: WriteOptions): Promise<WrittenProject> {
    return { project, indexState: await this.indexed(project.id, options) };
  }

  private async indexed(id: string, { waitForIndexMs }: WriteOptions): Promise<IndexState> {
    this.directory.wake();
    return waitForIndexMs === 0 ? 'pending' : waitUntilIndexed(this.directory, PROJECT_SOURCE, id, waitForIndexMs);
  }
}

function sortValueOf(project: Project, { column }: ProjectSort): string | null {
  const value = project[column];
  return value === null ? null : String(value);
}

function foreignCursor(): DomainError {
  const detail = 'is damaged, or belongs to a list with another sort or other filters';
  return new DomainError('request.invalid', {
    detail: `The cursor ${detail}`,
    fields: [{ pointer: '?cursor', code: 'invalid-cursor', detail }],
  });
}
