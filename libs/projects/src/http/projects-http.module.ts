import { Module } from '@nestjs/common';
import { ProjectErasure } from '../project-erasure.js';
import { ProjectsModule } from '../projects.module.js';
import { ProjectsController } from './projects.controller.js';

/** Projects over HTTP; for apps/api only. */
@Module({ imports: [ProjectsModule], providers: [ProjectErasure], controllers: [ProjectsController] })
export class ProjectsHttpModule {}
