import { PROJECT_SOURCE, projectBodySchema, upsertProjects, type ProjectFields } from '#projects';
import { Injectable } from '@nestjs/common';
import { ImportTarget, type ImportRow, type PreparedWrite } from '../import-target.js';
import type { CellType } from '../parsing/csv-cells.js';
import type { CsvFields } from '../parsing/csv-header.js';

const CELL_TYPES: Readonly<Record<keyof ProjectFields, CellType>> = {
  name: 'text',
  description: 'text',
  project_type: 'text',
  region: 'text',
  wood_type: 'text',
  total_area_sqm: 'number',
  complexity: 'number',
  final_price: 'number',
  currency: 'text',
  completed_on: 'text',
  external_id: 'text',
};

/** Projects, by their external ids. */
@Injectable()
export class ProjectImportTarget extends ImportTarget<ProjectFields> {
  readonly kind = 'projects';
  readonly source = PROJECT_SOURCE;
  readonly formats = ['ndjson', 'csv'] as const;
  readonly schema = projectBodySchema;
  readonly csv: CsvFields = {
    types: new Map(Object.entries(CELL_TYPES)),
    aliases: new Map(),
    required: ['name', 'description'],
    readOnly: ['id', 'version', 'created_at', 'updated_at'],
  };

  externalIdOf(fields: ProjectFields): string | null {
    return fields.external_id;
  }

  async prepare(rows: readonly ImportRow<ProjectFields>[]): Promise<PreparedWrite> {
    return (session) => upsertProjects(session, rows);
  }
}
