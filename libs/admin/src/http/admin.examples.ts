/** Examples of the OpenAPI document; a test validates each against its schema. */
const ROW_ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';
const CERTIFICATE_ID = '0197a6b2-7d20-7f4e-8a6b-1c2d3e4f5a6b';
const AT = '2026-11-21T08:00:00.000Z';
const LATER = '2026-11-21T08:00:04.812Z';
const COLLECTION = 'kindred_projects_g1_4f9a2c';

export const SYNC_STATUS_EXAMPLE = {
  read_at: AT,
  generations: [
    {
      id: 1,
      source: 'projects',
      collection: COLLECTION,
      state: 'serving',
      paused_at: null,
      pause_reason: null,
      entries: { pending: 2, synced: 10_000, dead: 1, tombstone: 0 },
      oldest_pending_age_seconds: 0.4,
      attempts: [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      dead_by_code: { 'vector-store.invalid-point': 1 },
      muted: 0,
      leased: 2,
      in_doubt: 2,
      due_tombstones: 0,
    },
  ],
  relay: {
    is_running: true,
    counts: { passes: 612, claimed: 10_003, synced: 10_000, dead: 1 },
    lag: { bounds_ms: [50, 100, 250], counts: [9_100, 800, 90, 10], sum_ms: 312_000 },
    store: { phase: 'open', paused_for_ms: 0, batch_limit: 64, upserts_paused_for_ms: 0 },
    embedders: [],
    retry_budgets: [{ generation: 1, available: 128, capacity: 128, spent: 9 }],
    in_flight: 1,
  },
  search: {
    breaker: 'closed',
    replicas: [{ collection: COLLECTION, state: 'ready', age_seconds: 0.2 }],
    counters: {
      answered: { local: 12, qdrant: 4_800 },
      degraded: 12,
      unanswered: 0,
      breaker_transitions: { closed: 1, open: 1, 'half-open': 1 },
      primary_failures: { unavailable: 5 },
      shadow_searches: 48,
      overlap_at_10: 0.998,
    },
  },
};

export const DEAD_LETTER_PAGE_EXAMPLE = {
  items: [
    {
      source_id: ROW_ID,
      source: 'projects',
      generation: 1,
      version: 4711,
      attempts: 10,
      error: { code: 'vector-store.invalid-point', message: 'The index refuses the point', at: AT },
      changed_at: AT,
      muted: null,
    },
  ],
  next_cursor: null,
};

export const MUTE_EXAMPLE = { ids: [ROW_ID], reason: 'The scan has no text; asked the author for a new one' };

export const REQUEUE_EXAMPLES = {
  code: { summary: 'All that failed for one reason', value: { code: 'vector-store.invalid-point' } },
  ids: { summary: 'Some rows', value: { ids: [ROW_ID] } },
  all: { summary: 'All of one generation', value: { all: true, generation: 1 } },
};

export const RECONCILE_EXAMPLES = {
  dry: { summary: 'Only report what differs', value: { dry_run: true } },
  repair: { summary: 'Repair, for at most a minute', value: { source: 'projects', budget_ms: 60_000 } },
};

export const STARTED_RECONCILIATION_EXAMPLE = { id: CERTIFICATE_ID, generation: 1, source: 'projects', decision: 'running' };

const NONE = { count: 0, examples: [] };
const REPORT = {
  id: CERTIFICATE_ID,
  format: 1,
  generation: 1,
  source: 'projects',
  collection: COLLECTION,
  model: 'all-MiniLM-L6-v2:q8',
  model_rev: 'f6a1f7a0c2d4',
  template_rev: 'projects/1',
  database_id: '0197a6b2-0000-7000-8000-000000000001',
  store: { source: 'local', version: null, run: null },
  from: AT,
  to: LATER,
  duration_ms: 4_812,
  is_read_only: false,
  is_forced: false,
  after: null,
  up_to: null,
  rows: 10_000,
  points: 9_999,
  verified: 9_997,
  in_flight: 2,
  tombstones: 0,
  dead: 0,
  differences: { missing: { count: 1, examples: [ROW_ID] }, stale: NONE, orphan: NONE, foreign: NONE, wrong_model: NONE, vector: NONE },
  resolved: 0,
  repaired: 1,
  text_verified: true,
  sampled_vectors: 100,
  decision: 'repaired',
  reasons: [],
};
const DIGEST = { algorithm: 'xor-sha256-128/1', rows: '9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d', points: '0c2f6f5a1e7d4c0ba1c2d3e4f5a6b7c8' };

export const CERTIFICATE_EXAMPLE = {
  ...REPORT,
  digest: { ...DIGEST, buckets: { '11': { rows: '9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d', points: '0c2f6f5a1e7d4c0ba1c2d3e4f5a6b7c8' } } },
};

export const CERTIFICATE_PAGE_EXAMPLE = { items: [{ ...REPORT, digest: DIGEST }], next_cursor: null };

export const SCHEDULE_RUN_EXAMPLE = {
  schedule: 'cache-purge',
  due_at: '2026-11-21T04:47:00.000Z',
  started_at: '2026-11-21T04:47:03.112Z',
  finished_at: '2026-11-21T04:47:03.480Z',
  outcome: 'done',
  holder: 'kindred-1:4242',
  result: { removed: 318 },
};

export const SCHEDULE_LIST_EXAMPLE = {
  items: [
    {
      name: 'cache-purge',
      expression: '47 4 * * *',
      next_due_at: '2026-11-22T04:47:00.000Z',
      last_run: SCHEDULE_RUN_EXAMPLE,
      last_result: SCHEDULE_RUN_EXAMPLE,
    },
  ],
};
