import { VectorStoreError, type VectorStoreErrorKind } from '../vector-store-error.js';
import { RETRY_AFTER_HEADER } from './retry-after-handler.js';

/** Errors of a connection that was closed under the request, most often by the server's idle timeout. */
const SOCKET_ERROR_CODES = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** A quota is used up. */
const STORAGE_FULL = 507;
/** Of the disk itself, Qdrant only says so in the text of a 500: what the operating system answered, or its own look before it writes to its log. */
const DISK_FULL_TEXT = /No space left on device|exceeds available disk space/i;

/** The library's own class for replies of status 400 and above; it is not exported, so it is known by its shape. */
interface ApiErrorShape {
  readonly status: number;
  readonly statusText?: string;
  readonly headers?: Headers;
  readonly data?: unknown;
}

/** Whether the connection broke before a reply came. The effect of the request is unknown, and it is safe to send again because every request is idempotent. */
export function isSocketError(error: unknown): boolean {
  return SOCKET_ERROR_CODES.has(networkCode(error) ?? '');
}

/** Turns whatever a request threw into the port's error. Messages never contain the address or the API key. */
export function toVectorStoreError(error: unknown, action: string): VectorStoreError {
  if (error instanceof VectorStoreError) return error;
  if (isApiError(error)) return fromReply(error, action);
  const code = networkCode(error);
  if (code !== null) return new VectorStoreError('unavailable', `Qdrant could not be reached to ${action} (${code})`, { cause: error });
  // What is left: replies that the library does not expect (202, or a proxy's page instead of JSON). Their effect is unknown.
  const reason = isRecord(error) ? String(error['message']).split('\n')[0] : String(error);
  return new VectorStoreError('unavailable', `Qdrant gave no usable answer to ${action}: ${reason}`, { cause: error });
}

function fromReply(error: ApiErrorShape, action: string): VectorStoreError {
  const detail = serverText(error.data) ?? error.statusText ?? '';
  const message = `Qdrant answered ${error.status} to ${action}: ${detail}`;
  const retryAfterMs = parseRetryAfter(error.headers?.get(RETRY_AFTER_HEADER) ?? null, Date.now());
  const isStorageFull = error.status === STORAGE_FULL || (error.status === 500 && DISK_FULL_TEXT.test(detail));
  const kind = isStorageFull ? 'throttled' : kindOf(error.status, detail, retryAfterMs !== undefined);
  return new VectorStoreError(kind, message, { cause: error, retryAfterMs, isStorageFull });
}

function kindOf(status: number, detail: string, hasRetryAfter: boolean): VectorStoreErrorKind {
  if (status === 429 || (status === 503 && hasRetryAfter)) return 'throttled';
  if (status === 408 || status >= 500) return 'unavailable';
  if (status === 404 && /No point with id/i.test(detail)) return 'point-missing';
  if (status === 404 && /Collection .* doesn't exist/i.test(detail)) return 'collection-missing';
  if (status === 400 && /Vector dimension error|Not existing vector name/i.test(detail)) return 'dimension-mismatch';
  return 'rejected';
}

/** Reads both forms of Retry-After, seconds and date; `undefined` when absent or unreadable. */
export function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}

// By shape, not by class: errors of fetch come from the runtime's own realm, where `instanceof Error` of a test's or a VM's realm does not hold.

function isApiError(error: unknown): error is ApiErrorShape {
  return isRecord(error) && typeof error['status'] === 'number';
}

function serverText(data: unknown): string | null {
  const status = isRecord(data) ? data['status'] : undefined;
  return isRecord(status) && typeof status['error'] === 'string' ? status['error'] : null;
}

function networkCode(error: unknown): string | null {
  const cause = isRecord(error) ? error['cause'] : undefined;
  if (!isRecord(cause)) return null;
  if (typeof cause['code'] === 'string') return cause['code'];
  // Of an error from another realm than its own, fetch keeps the text only ("SocketError: other side closed").
  const text = String(cause['message']);
  return text.startsWith('SocketError') ? 'UND_ERR_SOCKET' : (/\bE[A-Z]{4,}\b/.exec(text)?.[0] ?? null);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
