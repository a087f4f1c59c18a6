import type { SqlSession } from '#database';
import type { IndexDocument } from '#sync';
import { IndexSource } from '#sync';
import type { PayloadIndex, PayloadValue } from '#vector-store';
import { Injectable } from '@nestjs/common';
import { PROJECT_SOURCE, type Project } from './project.js';
import { PROJECT_FILTER_FIELDS, type ProjectFilterField } from './project-filter.js';
import { PROJECT_TEMPLATE_REV, renderProjectText } from './project-text.js';
import { ProjectRepository } from './project.repository.js';

const INDEX_TYPES = { term: 'keyword', integer: 'integer', decimal: 'float' } as const;
const FIELDS = Object.keys(PROJECT_FILTER_FIELDS) as ProjectFilterField[];

/** Projects as the sync engine sees them. */
@Injectable()
export class ProjectIndexSource extends IndexSource {
  readonly name = PROJECT_SOURCE;
  readonly templateRev = PROJECT_TEMPLATE_REV;
  readonly payloadIndexes: readonly PayloadIndex[] = FIELDS.map((field) => ({ field, type: INDEX_TYPES[PROJECT_FILTER_FIELDS[field]] }));

  constructor(private readonly repository: ProjectRepository) {
    super();
  }

  async load(ids: readonly string[], session: SqlSession): Promise<IndexDocument[]> {
    const projects = await this.repository.loadIn(session, ids);
    return projects.map((project) => ({ id: project.id, text: renderProjectText(project), payload: payloadOf(project) }));
  }

  async listIds(after: string | null, limit: number, session: SqlSession): Promise<string[]> {
    return this.repository.listIdsIn(session, after, limit);
  }

  async countByBucket(session: SqlSession): Promise<Map<string, number>> {
    return this.repository.countByBucketIn(session);
  }
}

function payloadOf(project: Project): Record<ProjectFilterField, PayloadValue> {
  return Object.fromEntries(FIELDS.map((field) => [field, project[field]])) as Record<ProjectFilterField, PayloadValue>;
}
