import { timestampColumn } from '#database';
import type { Project, ProjectFields } from './project.js';

/** Writable columns with their types, in the order of the parameters. */
const WRITABLE_COLUMNS = {
  name: 'text',
  description: 'text',
  project_type: 'text',
  region: 'text',
  wood_type: 'text',
  total_area_sqm: 'numeric',
  complexity: 'smallint',
  final_price: 'numeric',
  currency: 'text',
  completed_on: 'date',
  external_id: 'text',
} as const satisfies Record<keyof ProjectFields, string>;

export const WRITABLE = Object.entries(WRITABLE_COLUMNS) as [keyof ProjectFields, string][];

/** Every column in the form of the API. */
export const COLUMNS = [
  'id, name, description, project_type, region, wood_type, total_area_sqm, complexity, final_price, currency',
  `to_char(completed_on, 'YYYY-MM-DD') AS completed_on, external_id, version`,
  timestampColumn('created_at'),
  timestampColumn('updated_at'),
].join(', ');

/** A row as the driver gives it: numeric as text. */
export interface ProjectRecord extends Omit<Project, 'total_area_sqm' | 'final_price' | 'created_at' | 'updated_at'> {
  readonly total_area_sqm: string | null;
  readonly final_price: string | null;
  readonly created_at_text: string;
  readonly updated_at_text: string;
}

export function projectOf(row: ProjectRecord): Project {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    project_type: row.project_type,
    region: row.region,
    wood_type: row.wood_type,
    total_area_sqm: numberOf(row.total_area_sqm),
    complexity: row.complexity,
    final_price: numberOf(row.final_price),
    currency: row.currency,
    completed_on: row.completed_on,
    external_id: row.external_id,
    version: row.version,
    created_at: row.created_at_text,
    updated_at: row.updated_at_text,
  };
}

/** numeric(14,2) fits a double exactly (15 digits). NaN, which raw SQL can store, has no JSON form. */
function numberOf(text: string | null): number | null {
  const value = text === null ? null : Number(text);
  return Number.isNaN(value) ? null : value;
}
