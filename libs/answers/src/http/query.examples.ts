import { DOCUMENT_EXAMPLE } from '#documents';

const { content, chunked_version: _chunkedVersion, ...DOCUMENT } = DOCUMENT_EXAMPLE;
const CHUNK_ID = 'b1c8a5de-3b55-5d3c-9a4e-5a3d5c2f7e10';

/** Examples of the OpenAPI document; a test validates each against its schema. */
export const QUERY_EXAMPLE = { query: 'Which wood for stairs?', top_k: 3, collection: 'craft-faq', answer: true };
export const FILTERED_QUERY_EXAMPLE = {
  query: 'hard wearing wood',
  collection: 'craft-faq',
  filters: { topic: ['stairs', 'floors'], not: { topic: 'windows' } },
};

export const QUERY_REPLY_EXAMPLE = {
  results: [
    {
      document: DOCUMENT,
      chunk: { id: CHUNK_ID, ordinal: 0, start: 0, end: content.length, context: DOCUMENT.title, text: content },
      similarity: 0.7312,
      rank: 1,
      snippet: '**Oak, ash and beech: they are hard enough for treads.** Pine dents, and asks for a coating that can be renewed.',
      scores: { vector: { similarity: 0.7312, rank: 1 }, keyword: { score: 0.21, rank: 1 }, fused: 0.0328 },
    },
  ],
  total: 1,
  truncated: false,
  answer: {
    text: `${content} [1]`,
    mode: 'extractive',
    citations: [
      {
        number: 1,
        document_id: DOCUMENT.id,
        title: DOCUMENT.title,
        external_id: DOCUMENT.external_id,
        chunk_id: CHUNK_ID,
        start: 0,
        end: content.length,
      },
    ],
  },
  query_time_ms: 5.2,
  degraded: false,
  source: 'local',
  index: { generation: '2', model: 'all-MiniLM-L6-v2:q8', pending: 0 },
};

export const QUERY_STATS_EXAMPLE = {
  generator: { model: 'gpt-4.1-mini', state: 'closed', asked: 38, failed: 1, held_back: 0 },
  answer_cache: { hits: 57, joined: 3, misses: 36, hit_rate: 0.625, entries: 35, bytes: 41_280 },
};

const { answer: ANSWER, ...RESULT } = QUERY_REPLY_EXAMPLE;

export const QUERY_EVENTS_EXAMPLE = [
  ['result', RESULT],
  ['delta', { text: 'Oak, ash and ' }],
  ['delta', { text: 'beech [1].' }],
  ['answer', { ...ANSWER, text: 'Oak, ash and beech [1].', mode: 'generated', model: 'gpt-4.1-mini' }],
]
  .map(([name, data]) => `event: ${name as string}\ndata: ${JSON.stringify(data)}\n\n`)
  .join('');
