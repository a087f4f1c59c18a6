import type { ErrorKind } from './error-kind.js';

/** One row of the table of errors. */
export interface ErrorDefinition {
  readonly kind: ErrorKind;
  /** The short human title, constant for the code. */
  readonly title: string;
  /** Whether the same call can succeed later without being changed. */
  readonly retryable: boolean;
  /** What a client should do about it; printed in docs/errors.md. */
  readonly meaning: string;
}

/**
 * Every error code that leaves Kindred, in one table. docs/errors.md is generated from it.
 *
 * A code is stable: clients branch on it. A new failure gets a new row, a row never changes its kind.
 */
export const ERROR_CODES = {
  'request.invalid': {
    kind: 'invalid',
    title: 'The request is not valid',
    retryable: false,
    meaning: 'One or more fields were refused. `errors[]` names each with a JSON pointer; correct them and send again.',
  },
  'request.malformed-json': {
    kind: 'invalid',
    title: 'The body is not valid JSON',
    retryable: false,
    meaning: 'The body could not be parsed as JSON.',
  },
  'request.not-acceptable': {
    kind: 'not-acceptable',
    title: 'No acceptable representation',
    retryable: false,
    meaning: 'The `Accept` header excludes JSON, which is all this route can answer.',
  },
  'request.unsupported-media-type': {
    kind: 'unsupported-media-type',
    title: 'Unsupported content type',
    retryable: false,
    meaning: 'Send the body as `application/json` (PATCH also takes `application/merge-patch+json`).',
  },
  'request.body-too-large': {
    kind: 'too-large',
    title: 'The body is too large',
    retryable: false,
    meaning: 'Split the request; the limit is in the detail.',
  },
  'request.not-found': {
    kind: 'not-found',
    title: 'No such route',
    retryable: false,
    meaning: 'The path does not exist. /docs lists the routes.',
  },
  'request.method-not-allowed': {
    kind: 'method-not-allowed',
    title: 'Method not allowed',
    retryable: false,
    meaning: 'The path exists, the method does not; the `Allow` header lists the methods.',
  },
  'request.precondition-failed': {
    kind: 'precondition-failed',
    title: 'The row has changed',
    retryable: false,
    meaning: '`If-Match` does not name the current version. Read the row again, merge, and send the new ETag.',
  },
  'request.precondition-required': {
    kind: 'precondition-required',
    title: 'If-Match is required',
    retryable: false,
    meaning: 'This deployment demands `If-Match` on writes to existing rows.',
  },
  'idempotency.in-progress': {
    kind: 'conflict',
    title: 'The same request is being worked on',
    retryable: true,
    meaning: 'A request with this `Idempotency-Key` has not been answered yet. Send it again after `Retry-After`: you get its answer then.',
  },
  'idempotency.other-payload': {
    kind: 'unprocessable',
    title: 'The key belongs to another request',
    retryable: false,
    meaning:
      'This `Idempotency-Key` was sent with another body, or other parameters, within the last 24 hours. Use a new key for a new request.',
  },
  'idempotency.answer-erased': {
    kind: 'conflict',
    title: 'The answer was erased',
    retryable: false,
    meaning:
      'The request with this `Idempotency-Key` was carried out, and a row that its answer held was erased since. Nothing was written again; read what is there, or use a new key.',
  },
  'projects.not-found': {
    kind: 'not-found',
    title: 'No such project',
    retryable: false,
    meaning: 'No project has this id; it may have been deleted.',
  },
  'projects.external-id-taken': {
    kind: 'conflict',
    title: 'The external id is taken',
    retryable: false,
    meaning: 'Another project has this `external_id`. Update that project, or choose another one.',
  },
  'collections.not-found': {
    kind: 'not-found',
    title: 'No such collection',
    retryable: false,
    meaning: 'No collection has this name or id; it may have been deleted.',
  },
  'collections.name-taken': {
    kind: 'conflict',
    title: 'The name is taken',
    retryable: false,
    meaning: 'Another collection has this name. Use that one, or choose another name.',
  },
  'collections.unknown': {
    kind: 'unprocessable',
    title: 'The collection does not exist',
    retryable: false,
    meaning: '`collection` names no collection, neither by name nor by id. Create it first; GET /api/v1/collections lists them.',
  },
  'documents.not-found': {
    kind: 'not-found',
    title: 'No such document',
    retryable: false,
    meaning: 'No document has this id; it may have been deleted.',
  },
  'documents.external-id-taken': {
    kind: 'conflict',
    title: 'The external id is taken',
    retryable: false,
    meaning: 'Another document of the collection has this `external_id`. Update that document, or choose another one.',
  },
  'documents.metadata-mismatch': {
    kind: 'unprocessable',
    title: 'The metadata do not fit the collection',
    retryable: false,
    meaning: 'A key that the collection declares has a value of another type; `errors[]` names it.',
  },
  'query.filter-mismatch': {
    kind: 'unprocessable',
    title: 'The filters do not fit the collection',
    retryable: false,
    meaning:
      'A filter names a key that no collection declares, or a value of another type; `errors[]` names it. GET /api/v1/collections shows the keys.',
  },
  'imports.too-many': {
    kind: 'rate-limited',
    title: 'Too many imports are open',
    retryable: true,
    meaning:
      'Each process works on one import at a time, and each import keeps its file in the database until it has ended. Wait for one of them, or cancel it.',
  },
  'jobs.not-found': {
    kind: 'not-found',
    title: 'No such job',
    retryable: false,
    meaning: 'No job has this id; jobs are forgotten a month after they have ended.',
  },
  'jobs.over': {
    kind: 'conflict',
    title: 'The job is over',
    retryable: false,
    meaning:
      'A job that was cancelled takes nothing any more, and only a failed one whose file is still there can be resumed. Import the file again.',
  },
  'jobs.too-many-streams': {
    kind: 'unavailable',
    title: 'Too many jobs are being followed',
    retryable: true,
    meaning: 'This process follows no more jobs at once. Ask for the job itself from time to time.',
  },
  'conversations.not-found': {
    kind: 'not-found',
    title: 'No such conversation',
    retryable: false,
    meaning: 'No conversation has this id; it may have been deleted, or forgotten CHAT_HISTORY_DAYS after its last message.',
  },
  'erasures.not-found': {
    kind: 'not-found',
    title: 'No such erasure',
    retryable: false,
    meaning: 'No erasure has this id. It is in the reply to the DELETE that began it.',
  },
  'erasures.log-unavailable': {
    kind: 'unavailable',
    title: 'The erasure could not be written down',
    retryable: false,
    meaning:
      'The row is deleted and its erasure goes on, see `Location`, but the log outside of the database (ERASURE_LOG) did not take the line; it is tried again. Until then a restore would bring the row back.',
  },
  'database.unavailable': {
    kind: 'unavailable',
    title: 'The database is not available',
    retryable: true,
    meaning: 'PostgreSQL did not answer in time. Nothing was written unless the reply to a write was lost; retry after `Retry-After`.',
  },
  'database.busy': {
    kind: 'unavailable',
    title: 'The database is busy',
    retryable: true,
    meaning: 'No connection was free in time, or a conflict with another transaction could not be resolved. Retry after `Retry-After`.',
  },
  'search.index-unavailable': {
    kind: 'unavailable',
    title: 'The vector index is not available',
    retryable: true,
    meaning:
      'The index did not answer, and nothing else can. Searches are answered by words meanwhile; writes are accepted and will be indexed later.',
  },
  'search.embedder-unavailable': {
    kind: 'unavailable',
    title: 'The embedding model is not available',
    retryable: true,
    meaning:
      'A text could not be turned into a vector. Searches are answered by words meanwhile; writes are accepted and will be indexed later.',
  },
  'search.not-ready': {
    kind: 'unavailable',
    title: 'The index is being prepared',
    retryable: true,
    meaning: 'The first index is being prepared; see /health/ready. Searches are answered by words meanwhile.',
  },
  'sync.reconciliation-running': {
    kind: 'conflict',
    title: 'A reconciliation of this generation is running',
    retryable: true,
    meaning: 'At most one reconciliation repairs a generation at a time. Wait for its certificate, or ask for a read-only one.',
  },
  'sync.certificate-not-found': {
    kind: 'not-found',
    title: 'No such certificate',
    retryable: false,
    meaning: 'No certificate has this id. GET /api/v1/admin/certificates lists them.',
  },
  'access.key-missing': {
    kind: 'unauthenticated',
    title: 'A key is needed',
    retryable: false,
    meaning: 'Send an API key as `Authorization: Bearer <key>` or `X-API-Key`. docs/operations.md tells how keys are made.',
  },
  'access.key-refused': {
    kind: 'unauthenticated',
    title: 'The key is not good',
    retryable: false,
    meaning:
      'The key does not exist, was revoked, has expired, or may not be used from this address. Which of these, only the operators can see.',
  },
  'access.scope-missing': {
    kind: 'forbidden',
    title: 'The key may not do this',
    retryable: false,
    meaning: 'The key lacks the scope that the detail names. `x-required-scope` in /docs-json says what each route asks for.',
  },
  'access.local-only': {
    kind: 'forbidden',
    title: 'Only from this machine',
    retryable: false,
    meaning:
      'No key is asked for because this is no production; so only requests of this machine are answered, not those that a proxy passed on or that a page of another origin sent. Send a key, list the origin in CORS_ORIGINS, or set AUTH.',
  },
  'access.collections-only': {
    kind: 'forbidden',
    title: 'The key is for some collections only',
    retryable: false,
    meaning:
      'The key may see some document collections and nothing else. Name one of them in `collection`; what is not about one collection is out of its reach.',
  },
  'access.too-many-failures': {
    kind: 'rate-limited',
    title: 'Too many wrong keys',
    retryable: true,
    meaning: 'Too many keys from this address were wrong. Keys that are known to be good go on; wait `Retry-After` and correct the key.',
  },
  'access.rate-limited': {
    kind: 'rate-limited',
    title: 'Too many requests',
    retryable: true,
    meaning: 'The limit of the key or of the address is used up until `Retry-After` is over. A batch counts once for each of its elements.',
  },
  'access.overloaded': {
    kind: 'unavailable',
    title: 'The service is overloaded',
    retryable: true,
    meaning:
      'The request would have had to wait too long for the model, so it was not begun. Come back after `Retry-After`, with fewer at once.',
  },
  'keys.not-found': {
    kind: 'not-found',
    title: 'No such key',
    retryable: false,
    meaning: 'No API key has this id. GET /api/v1/admin/keys lists them.',
  },
  'keys.ended': {
    kind: 'conflict',
    title: 'The key has ended',
    retryable: false,
    meaning: 'A key that was revoked or has expired cannot be rotated. Make a new one.',
  },
  'keys.replaced': {
    kind: 'conflict',
    title: 'The key was rotated already',
    retryable: false,
    meaning: 'Another key replaces it, which the detail names. If its text was lost, revoke that one, then rotate this one again.',
  },
  'admin.loopback-only': {
    kind: 'forbidden',
    title: 'Only from this machine',
    retryable: false,
    meaning:
      'While no keys are asked for, the admin routes answer only requests that were sent on the machine of the service itself, to a loopback address, and not by way of a proxy or a page of another origin. With a key they answer from anywhere.',
  },
  'schedules.not-found': {
    kind: 'not-found',
    title: 'No such schedule',
    retryable: false,
    meaning: 'No schedule has this name. GET /api/v1/admin/schedules lists them.',
  },
  'schedules.running': {
    kind: 'conflict',
    title: 'The schedule is running',
    retryable: true,
    meaning: 'A run of this schedule has not ended yet, in this process or another. Wait for it; two never go at once.',
  },
  'generations.not-found': {
    kind: 'not-found',
    title: 'No such generation',
    retryable: false,
    meaning: 'No index generation has this id, or no source has this name.',
  },
  'generations.conflict': {
    kind: 'conflict',
    title: 'Another operator acts on the generations',
    retryable: false,
    meaning:
      'The source has a generation that is being built, a gate is running, or somebody else has just switched. List the generations and decide again.',
  },
  'generations.gate-refused': {
    kind: 'unprocessable',
    title: 'The generation may not serve yet',
    retryable: false,
    meaning:
      'The gate has read the index and found reasons against the switch; the detail names them all, and the gate report has the figures.',
  },
  'generations.retired': {
    kind: 'unprocessable',
    title: 'The generation is retired',
    retryable: false,
    meaning: 'Retired is final: its index is no longer written to and is being removed. Build a new generation.',
  },
  'generations.model-unusable': {
    kind: 'unprocessable',
    title: 'The model cannot be used here',
    retryable: false,
    meaning:
      'The model is missing or incomplete, cannot do what was asked of it, or did not work when it was tried; or the service does not know it. The log has the cause.',
  },
  'internal.error': {
    kind: 'internal',
    title: 'Internal error',
    retryable: false,
    meaning: 'A defect in Kindred. The log has the cause under the same `request_id`.',
  },
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof ERROR_CODES;
