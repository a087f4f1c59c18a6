import { DomainError, type ErrorCode } from '#kernel';

/** SQLSTATE classes and codes after which the same call may succeed later. https://www.postgresql.org/docs/18/errcodes-appendix.html */
const UNAVAILABLE_STATES: ReadonlySet<string> = new Set([
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '53100', // disk_full: no fault of what was written, and over when there is room again
  '57P05', // idle_session_timeout
  '25P03', // idle_in_transaction_session_timeout
]);
const BUSY_STATES: ReadonlySet<string> = new Set([
  '53300', // too_many_connections
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available
  '57014', // query_canceled: the statement timeout
]);
const CONNECTION_EXCEPTION_CLASS = '08';

const NETWORK_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);

/** Messages of node-postgres, whose own errors have no code. */
const UNAVAILABLE_MESSAGES =
  /connection terminated|terminating connection|connection ended|client was closed|not queryable|cannot use a pool after calling end|driver not connected|server closed|query read timeout/i;
const POOL_TIMEOUT_MESSAGE = /timeout exceeded when trying to connect/i;

/** What the error means for a caller, or `null` when it is not about the connection or contention. */
export function classifyDatabaseError(error: unknown): Extract<ErrorCode, 'database.unavailable' | 'database.busy'> | null {
  if (!(error instanceof Error) && (typeof error !== 'object' || error === null)) return null;
  const { code, message } = withDriverError(error as Error);
  if (typeof code === 'string') {
    if (BUSY_STATES.has(code)) return 'database.busy';
    if (UNAVAILABLE_STATES.has(code) || NETWORK_CODES.has(code) || code.startsWith(CONNECTION_EXCEPTION_CLASS))
      return 'database.unavailable';
  }
  if (typeof message !== 'string') return null;
  if (POOL_TIMEOUT_MESSAGE.test(message)) return 'database.busy';
  return UNAVAILABLE_MESSAGES.test(message) ? 'database.unavailable' : null;
}

/** character_not_in_repertoire, untranslatable_character: only what somebody sent can hold these, and rules of fields refuse them where they are read. */
const UNSTORABLE_TEXT: ReadonlySet<unknown> = new Set(['22021', '22P05']);

function isUnstorableText(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  return UNSTORABLE_TEXT.has((withDriverError(error as Error) as { readonly code?: unknown }).code);
}

/** Turns errors of connection and contention, and texts that cannot be stored, into DomainErrors with their cause; gives every other error back unchanged. */
export function toDomainError(error: unknown): unknown {
  if (error instanceof DomainError) return error;
  if (isUnstorableText(error))
    return new DomainError('request.invalid', { detail: 'A text has a character that cannot be stored, such as NUL', cause: error });
  const code = classifyDatabaseError(error);
  return code === null ? error : new DomainError(code, { cause: error });
}

/** SQLSTATE unique_violation. */
const UNIQUE_VIOLATION = '23505';
/** SQLSTATE foreign_key_violation. */
const FOREIGN_KEY_VIOLATION = '23503';
/** SQLSTATE check_violation. */
const CHECK_VIOLATION = '23514';
const CAUSES_MAXIMUM = 5;

/** Whether PostgreSQL refused a row because of this unique constraint; looks through the wrappers of driver and ORM. */
export function isUniqueViolation(error: unknown, constraint: string): boolean {
  return isViolation(error, UNIQUE_VIOLATION, constraint);
}

/** Whether PostgreSQL refused a row because what it refers to by this constraint does not exist. */
export function isForeignKeyViolation(error: unknown, constraint: string): boolean {
  return isViolation(error, FOREIGN_KEY_VIOLATION, constraint);
}

/** Whether PostgreSQL refused a row because of this check. */
export function isCheckViolation(error: unknown, constraint: string): boolean {
  return isViolation(error, CHECK_VIOLATION, constraint);
}

function isViolation(error: unknown, state: string, constraint: string): boolean {
  for (let current = error, depth = 0; current !== null && typeof current === 'object' && depth < CAUSES_MAXIMUM; depth++) {
    const {
      code,
      constraint: violated,
      driverError,
      cause,
    } = current as {
      code?: unknown;
      constraint?: unknown;
      driverError?: unknown;
      cause?: unknown;
    };
    if (code === state && violated === constraint) return true;
    current = driverError ?? cause;
  }
  return false;
}

/** TypeORM wraps what the driver threw; name resolution with several addresses answers with several errors. */
function withDriverError(error: Error): { code?: unknown; message?: unknown } {
  const wrapped = (error as { driverError?: Error }).driverError ?? error;
  if (wrapped instanceof AggregateError && wrapped.errors.length > 0) return wrapped.errors[0] as Error;
  return wrapped;
}
