import { Injectable } from '@nestjs/common';
import type { ImportKind } from './import-job.js';
import type { ImportTarget } from './import-target.js';
import { ProjectImportTarget } from './targets/project-import-target.js';

/** The kinds of rows that can be imported. */
@Injectable()
export class ImportTargets {
  private readonly targets: ReadonlyMap<ImportKind, ImportTarget>;

  constructor(projects: ProjectImportTarget) {
    this.targets = new Map<ImportKind, ImportTarget>([[projects.kind, projects as ImportTarget]]);
  }

  get(kind: ImportKind): ImportTarget {
    const target = this.targets.get(kind);
    if (target === undefined) throw new Error(`Nothing can be imported into ${kind}`);
    return target;
  }
}
