/** How the API document describes the headers of versions; see `entity-tag.ts`. */
export const ETAG_HEADER = {
  ETag: { description: 'Version of the row, for If-Match and If-None-Match', schema: { type: 'string' }, example: '"v1"' },
} as const;

export const IF_MATCH = {
  name: 'If-Match',
  required: false,
  description: 'ETag the row must still have; otherwise 412',
  schema: { type: 'string' },
  example: '"v1"',
} as const;

export const IF_NONE_MATCH = {
  name: 'If-None-Match',
  required: false,
  description: 'ETag of the copy you have',
  schema: { type: 'string' },
  example: '"v1"',
} as const;
