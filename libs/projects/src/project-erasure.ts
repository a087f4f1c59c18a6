import { Erasures } from '#erasure';
import { IndexDirectory } from '#sync';
import { Injectable } from '@nestjs/common';
import { PROJECT_SOURCE } from './project.js';
import { ProjectRepository, type ExpectedVersions } from './project.repository.js';

/** Deletes projects with a receipt. */
@Injectable()
export class ProjectErasure {
  constructor(
    private readonly erasures: Erasures,
    private readonly repository: ProjectRepository,
    private readonly directory: IndexDirectory,
  ) {}

  /** Deletes the row; resolves with the id of the erasure. @throws DomainError `projects.not-found`, `request.precondition-failed`, `erasures.log-unavailable` */
  async erase(id: string, expected: ExpectedVersions): Promise<string> {
    try {
      return await this.erasures.request({
        kind: 'project',
        targetId: id,
        source: PROJECT_SOURCE,
        pointIds: async () => [id],
        remove: (session) => this.repository.delete(id, expected, session),
      });
    } finally {
      this.directory.wake();
    }
  }
}
