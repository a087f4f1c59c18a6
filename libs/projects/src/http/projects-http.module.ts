import { Module } from '@nestjs/common';
import { ProjectsModule } from '../projects.module.js';
import { ProjectsController } from './projects.controller.js';

/** Projects over HTTP; for apps/api only. */
@Module({ imports: [ProjectsModule], controllers: [ProjectsController] })
export class ProjectsHttpModule {}
