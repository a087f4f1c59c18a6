import { Injectable } from '@nestjs/common';
import type { ImportKind } from './import-job.js';
import type { ImportTarget } from './import-target.js';
import { DocumentImportTarget } from './targets/document-import-target.js';
import { ProjectImportTarget } from './targets/project-import-target.js';

/** The kinds of rows that can be imported. */
@Injectable()
export class ImportTargets {
  private readonly targets: Readonly<Record<ImportKind, ImportTarget>>;

  constructor(projects: ProjectImportTarget, documents: DocumentImportTarget) {
    this.targets = { projects, documents };
  }

  get(kind: ImportKind): ImportTarget {
    return this.targets[kind];
  }
}
