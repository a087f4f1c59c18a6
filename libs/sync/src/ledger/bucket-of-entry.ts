/** SQL: the bucket of a ledger entry. The last byte as it is costs a third less than the id as text. */
export const BUCKET_OF_ENTRY = `encode(substring(uuid_send(source_id) FROM 16), 'hex')`;
