/** Examples of the OpenAPI document; a test validates each against its schema. */
const AT = '2026-11-21T08:00:00.000Z';

const EMBEDDER = {
  provider: 'local',
  model: 'all-MiniLM-L6-v2',
  revision: '3f8a1c0d9e2b',
  dtype: 'q8',
  dimensions: 384,
  pooling: 'mean',
  query_prefix: '',
  document_prefix: '',
  max_tokens: 128,
};

export const CREATE_GENERATION_EXAMPLES = {
  plan: { summary: 'What would it cost?', value: { source: 'projects', dry_run: true, embedder: { max_tokens: 128 } } },
  service: {
    summary: 'With another model',
    value: { source: 'projects', embedder: { provider: 'openai', model: 'text-embedding-3-large', dimensions: 1024 } },
  },
  create: { summary: 'Build it', value: { source: 'projects', embedder: { max_tokens: 128 }, reason: 'shorter texts are enough' } },
};

export const FORCE_EXAMPLES = {
  normal: { summary: 'Only if everything is right', value: {} },
  forced: { summary: 'Although some rows are dead letters', value: { force: true } },
};

export const ROLLBACK_EXAMPLES = {
  only: { summary: 'Of projects', value: {} },
  source: { summary: 'Of a source', value: { source: 'projects' } },
};

export const GATE_REPORT_EXAMPLE = {
  status: 'passed',
  passed: true,
  reasons: [],
  is_forced: false,
  began_at: AT,
  checked_at: '2026-11-21T08:00:06.000Z',
  holder: 'kindred-1:4242',
  certificate_id: '0197a6b2-7d20-7f4e-8a6b-1c2d3e4f5a6b',
  sample: { rows: 50, mismatches: [], lowest_cosine: 1 },
  overlap_at_10: 0.94,
  rank_shift: 0.31,
  comparison: { serving_generation: 1, queries: 50, overlap_at_10: 0.94, rank_shift: 0.31 },
  dead: 0,
  pending_before: 0,
};

export const GATE_RUNNING_EXAMPLE = {
  ...GATE_REPORT_EXAMPLE,
  status: 'running',
  passed: false,
  checked_at: null,
  certificate_id: null,
  sample: null,
  overlap_at_10: null,
  rank_shift: null,
  comparison: null,
  dead: null,
  pending_before: null,
};

export const GENERATION_EXAMPLE = {
  id: 2,
  source: 'projects',
  state: 'building',
  collection: 'kindred_projects_g2_b81c07',
  model: 'all-MiniLM-L6-v2:q8',
  model_rev: 'f6a1f7a0c2d4',
  template_rev: 'projects/1',
  dimensions: 384,
  embedder: EMBEDDER,
  reason: 'shorter texts are enough',
  created_at: AT,
  filled_at: null,
  serving_since: null,
  standby_since: null,
  retired_at: null,
  dropped_at: null,
  paused_at: null,
  pause_reason: null,
  gate: null,
};

export const GENERATION_DETAIL_EXAMPLE = {
  ...GENERATION_EXAMPLE,
  filled_at: '2026-11-21T08:00:02.000Z',
  gate: GATE_REPORT_EXAMPLE,
  progress: {
    is_filled: true,
    entries: { pending: 4_000, synced: 6_000, dead: 0, tombstone: 0 },
    rate_per_second: 110.5,
    eta_seconds: 36.2,
  },
};

export const GENERATION_PLAN_EXAMPLE = {
  source: 'projects',
  collection_prefix: 'kindred_projects_g',
  model: 'all-MiniLM-L6-v2:q8',
  model_rev: 'f6a1f7a0c2d4',
  template_rev: 'projects/1',
  embedder: EMBEDDER,
  rows: 10_000,
  cached_rows: 0,
  rows_to_embed: 10_000,
  tokens_to_embed: 410_000,
  expected_minutes: 1.7,
  sample: { rows: 500, tokens: 20_500, rows_per_second: 110.4 },
  basis:
    'Tokens and speed (110.4 rows per second) were measured on a sample of 500 rows with the model itself, in this process, beside whatever else it does; writing at 1000 rows per second, which is assumed.',
};
