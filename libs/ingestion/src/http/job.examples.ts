/** Examples of the OpenAPI document; a test validates each against its schema. */
export const JOB_EXAMPLE = {
  id: '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a40',
  kind: 'projects',
  format: 'csv',
  state: 'running',
  dry_run: false,
  collection_id: null,
  file_name: 'offers.csv',
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  progress: {
    lines: 1500,
    accepted: 1498,
    inserted: 1400,
    updated: 90,
    unchanged: 8,
    rejected: 2,
    bytes: 262144,
    total_bytes: 1048576,
    rate_per_second: 512.3,
    eta_seconds: 8.8,
  },
  problems: { found: 2, stored: 2, left_out: 0 },
  error: null,
  notice: null,
  index_pending: 412,
  created_at: '2026-11-21T08:00:00.123456Z',
  started_at: '2026-11-21T08:00:01.123456Z',
  finished_at: null,
};

export const QUEUED_JOB_EXAMPLE = {
  ...JOB_EXAMPLE,
  state: 'queued',
  progress: {
    lines: 0,
    accepted: 0,
    inserted: 0,
    updated: 0,
    unchanged: 0,
    rejected: 0,
    bytes: 0,
    total_bytes: 1048576,
    rate_per_second: null,
    eta_seconds: null,
  },
  problems: { found: 0, stored: 0, left_out: 0 },
  started_at: null,
};

export const CANCELLED_JOB_EXAMPLE = {
  ...JOB_EXAMPLE,
  state: 'cancelled',
  notice: '1490 rows had been written before, and stay',
  finished_at: '2026-11-21T08:00:04.123456Z',
  progress: { ...JOB_EXAMPLE.progress, eta_seconds: null },
};

export const JOB_PROBLEMS_EXAMPLE = {
  items: [
    { line: 17, pointer: '/complexity', code: 'too-large', detail: 'must be at most 5' },
    { line: 904, pointer: '/external_id', code: 'duplicate-external-id', detail: 'is that of line 12 already' },
  ],
  next_cursor: null,
  left_out: 0,
};

const PROJECT_LINE = {
  name: 'Oak kitchen with island',
  description: 'Fitted kitchen in solid oak with a cooking island.',
  project_type: 'kitchen',
  final_price: 15000,
  external_id: 'offer-2041',
};

export const PROJECTS_NDJSON_EXAMPLE = `${JSON.stringify(PROJECT_LINE)}\n`;
export const PROJECTS_CSV_EXAMPLE = `name,description,project_type,final_price,external_id
"Oak kitchen with island","Fitted kitchen in solid oak with a cooking island.",kitchen,15000,offer-2041
`;

const QUESTION = 'Which wood is best for a garden gate?';
const ANSWER = 'Larch: it lasts outside without treatment.';

export const DOCUMENTS_NDJSON_EXAMPLE = `${JSON.stringify({ collection: 'faq', title: QUESTION, content: ANSWER, external_id: 'faq-17' })}\n`;
export const DOCUMENTS_CSV_EXAMPLE = `question,answer,external_id\n"${QUESTION}","${ANSWER}",faq-17\n`;
export const MARKDOWN_EXAMPLE = `# ${QUESTION}\n\n${ANSWER}\n`;

export const EVENTS_EXAMPLE = `event: progress
data: ${JSON.stringify(JOB_EXAMPLE)}

event: end
data: ${JSON.stringify({ ...JOB_EXAMPLE, state: 'done' })}

`;
