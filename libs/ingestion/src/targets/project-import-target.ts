import { PROJECT_SOURCE, projectBodySchema, upsertProjects, type ProjectFields } from '#projects';
import { Injectable } from '@nestjs/common';
import { ImportTarget, type RowWriter } from '../import-target.js';
import type { CellType } from '../parsing/csv-cells.js';

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

const WRITER: RowWriter<ProjectFields, ProjectFields> = {
  schema: projectBodySchema,
  csv: {
    types: new Map(Object.entries(CELL_TYPES)),
    aliases: new Map(),
    required: ['name', 'description'],
    readOnly: ['id', 'version', 'created_at', 'updated_at'],
  },
  resolve: async (rows) => ({ rows: rows.map((row) => ({ ...row, key: row.fields.external_id })), refused: new Map() }),
  prepare: async (rows) => (session) => upsertProjects(session, rows),
};

/** Projects, by their external ids. */
@Injectable()
export class ProjectImportTarget extends ImportTarget {
  readonly kind = 'projects';
  readonly source = PROJECT_SOURCE;
  readonly formats = ['ndjson', 'csv'] as const;

  open(): RowWriter {
    return WRITER as RowWriter;
  }
}
