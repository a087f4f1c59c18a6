import { DocumentsModule } from '#documents';
import { ProjectsModule } from '#projects';
import { Module } from '@nestjs/common';
import { CollectionLookup } from './collection-lookup.js';
import { ExportsService } from './export/exports.service.js';
import { ImportJobsRepository } from './import-jobs.repository.js';
import { ImportTargets } from './import-targets.js';
import { ImportsService } from './imports.service.js';
import { JobQueue } from './queue/job-queue.js';
import { JobSupervisor } from './queue/job-supervisor.js';
import { JobSweep } from './queue/job-sweep.js';
import { PgBossJobQueue } from './queue/pg-boss-job-queue.js';
import { ImportRunStore } from './run/import-run.store.js';
import { ImportRunner } from './run/import-runner.js';
import { StagedFiles } from './staging/staged-files.js';
import { DocumentImportTarget } from './targets/document-import-target.js';
import { ProjectImportTarget } from './targets/project-import-target.js';

/** Imports for every program: each process that has it works on jobs. Needs the (global) configuration, database, runtime and sync modules beside it. */
@Module({
  imports: [ProjectsModule, DocumentsModule],
  providers: [
    ImportJobsRepository,
    ImportRunStore,
    StagedFiles,
    ProjectImportTarget,
    DocumentImportTarget,
    ImportTargets,
    ImportRunner,
    ImportsService,
    CollectionLookup,
    ExportsService,
    { provide: JobQueue, useClass: PgBossJobQueue },
    JobSweep,
    JobSupervisor,
  ],
  exports: [ImportsService, ExportsService, ImportTargets, CollectionLookup],
})
export class IngestionModule {}
