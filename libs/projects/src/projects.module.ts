import { IndexSourceRegistry } from '#sync';
import { Module } from '@nestjs/common';
import { ProjectIndexSource } from './project-index-source.js';
import { ProjectRepository } from './project.repository.js';
import { ProjectsService } from './projects.service.js';

/** Projects for every program: api, worker and command line. Needs the (global) database and sync modules beside it. */
@Module({
  providers: [ProjectRepository, ProjectsService, ProjectIndexSource],
  exports: [ProjectRepository, ProjectsService],
})
export class ProjectsModule {
  /** In the constructor: all sources are known before the engine starts in a lifecycle hook. */
  constructor(registry: IndexSourceRegistry, source: ProjectIndexSource) {
    registry.register(source);
  }
}
