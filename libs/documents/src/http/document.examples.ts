/** Examples of the OpenAPI document; a test validates each against its schema. */
export const COLLECTION_BODY_EXAMPLE = {
  name: 'craft-faq',
  description: 'Questions of customers with our answers',
  language: 'en',
  metadata_keys: { topic: 'keyword' },
};

const COLLECTION_ID = '0197a6b2-7000-7c3a-9d55-0f6f3b0c2a11';
const TIMES = { created_at: '2026-11-25T08:00:00.123456Z', updated_at: '2026-11-25T08:00:00.123456Z' };

export const COLLECTION_EXAMPLE = {
  id: COLLECTION_ID,
  ...COLLECTION_BODY_EXAMPLE,
  chunk_tokens: 200,
  chunk_overlap_tokens: 24,
  version: 1,
  ...TIMES,
};

export const COLLECTION_PATCH_EXAMPLE = { metadata_keys: { topic: 'keyword', year: 'number' } };

export const DOCUMENT_BODY_EXAMPLE = {
  collection: 'craft-faq',
  title: 'Which wood suits a staircase?',
  content: 'Oak, ash and beech: they are hard enough for treads. Pine dents, and asks for a coating that can be renewed.',
  kind: 'faq',
  external_id: 'FAQ-0001',
  language: 'en',
  metadata: { topic: 'stairs' },
};

export const DOCUMENT_EXAMPLE = {
  id: '0197a6b2-8000-7c3a-9d55-0f6f3b0c2a11',
  collection_id: COLLECTION_ID,
  ...DOCUMENT_BODY_EXAMPLE,
  source_uri: null,
  version: 1,
  chunked_version: 1,
  ...TIMES,
};

export const WRITTEN_DOCUMENT_EXAMPLE = { ...DOCUMENT_EXAMPLE, index_state: 'pending' };

export const DOCUMENT_PATCH_EXAMPLE = { title: 'Which woods suit a staircase?', metadata: { topic: 'stairs', year: 2026 } };

export const DOCUMENT_PAGE_EXAMPLE = { items: [DOCUMENT_EXAMPLE], next_cursor: null };

export const DOCUMENT_BATCH_EXAMPLE = { documents: [DOCUMENT_BODY_EXAMPLE] };

export const DOCUMENT_BATCH_REPLY_EXAMPLE = {
  results: [
    { index: 0, status: 'created', id: DOCUMENT_EXAMPLE.id, error: null },
    {
      index: 1,
      status: 'failed',
      id: null,
      error: {
        code: 'collections.unknown',
        errors: [
          { pointer: '/documents/1/collection', code: 'unknown-collection', detail: 'is neither the name nor the id of a collection' },
        ],
      },
    },
  ],
  created: 1,
  updated: 0,
  unchanged: 0,
  failed: 1,
};

export const DELETE_DOCUMENTS_EXAMPLE = { ids: [DOCUMENT_EXAMPLE.id] };
export const DELETED_DOCUMENTS_EXAMPLE = { deleted: 1, not_found: [] };

export const DOCUMENT_INDEX_STATUS_EXAMPLE = {
  id: DOCUMENT_EXAMPLE.id,
  state: 'synced',
  row_version: 1,
  chunked_version: 1,
  chunks: { total: 1, synced: 1, pending: 0, dead: 0 },
  chunking_error: null,
};
