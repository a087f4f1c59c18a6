import { Module } from '@nestjs/common';
import { IngestionModule } from '../ingestion.module.js';
import { JobsController } from './jobs.controller.js';
import { OpenStreams } from './open-streams.js';
import { ProjectImportsController } from './project-imports.controller.js';

/** Imports and jobs over HTTP; for apps/api only. */
@Module({ imports: [IngestionModule], controllers: [ProjectImportsController, JobsController], providers: [OpenStreams] })
export class IngestionHttpModule {}
