const url = process.env['TEST_QDRANT_URL'];

/** Address of a real Qdrant server that tests may use, `TEST_QDRANT_URL`; `null` = there is none. */
export const realQdrantUrl: string | null = url === undefined || url === '' ? null : url;
