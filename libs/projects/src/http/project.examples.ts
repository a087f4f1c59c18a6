/** Examples of the OpenAPI document; a test validates each against its schema. */
export const PROJECT_BODY_EXAMPLE = {
  name: 'Oak kitchen with island',
  description: 'Fitted kitchen in solid oak with a cooking island, soft-close drawers and a stone worktop.',
  project_type: 'kitchen',
  region: 'Bavaria',
  wood_type: 'oak',
  total_area_sqm: 25,
  complexity: 3,
  final_price: 15000,
};

export const PROJECT_EXAMPLE = {
  id: '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11',
  ...PROJECT_BODY_EXAMPLE,
  currency: 'EUR',
  completed_on: null,
  external_id: null,
  version: 1,
  created_at: '2026-11-21T08:00:00.123456Z',
  updated_at: '2026-11-21T08:00:00.123456Z',
};

/** Of generation 1, version 4711, of the project above. */
export const CONSISTENCY_TOKEN_EXAMPLE = 'AQGXprJsHnw6nVUPbzsMKhEAAAABAAAAAAAAEmdwcm9qZWN0c473l2A';

export const WRITTEN_PROJECT_EXAMPLE = { ...PROJECT_EXAMPLE, index_state: 'pending' };

export const PROJECT_PATCH_EXAMPLE = { final_price: 15800.5, wood_type: null };

export const PROJECT_PAGE_EXAMPLE = { items: [PROJECT_EXAMPLE], next_cursor: null };

export const INDEX_STATUS_EXAMPLE = {
  id: PROJECT_EXAMPLE.id,
  state: 'synced',
  row_version: 1,
  version: 4711,
  indexed_version: 4711,
  attempts: 0,
  truncated: false,
  last_error: null,
  generation: '1',
};

export const DELETE_PROJECTS_EXAMPLE = { ids: [PROJECT_EXAMPLE.id, '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a12'] };

export const DELETED_PROJECTS_EXAMPLE = { deleted: 1, not_found: ['0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a12'] };
