import { Module } from '@nestjs/common';
import { IngestionModule } from '../ingestion.module.js';
import { JobsController } from './jobs.controller.js';
import { OpenStreams } from './open-streams.js';
import { DocumentFilesController } from './document-files.controller.js';
import { ProjectFilesController } from './project-files.controller.js';

/** Imports, exports and jobs over HTTP; for apps/api only. */
@Module({
  imports: [IngestionModule],
  controllers: [ProjectFilesController, DocumentFilesController, JobsController],
  providers: [OpenStreams],
})
export class IngestionHttpModule {}
