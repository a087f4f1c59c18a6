import { VectorStoreError } from '../vector-store-error.js';
import { isSocketError, parseRetryAfter, toVectorStoreError } from './qdrant-errors.js';
import { RETRY_AFTER_HEADER } from './retry-after-handler.js';

function reply(status: number, text: string | null, retryAfter?: string): Error {
  const headers = new Headers(retryAfter === undefined ? {} : { [RETRY_AFTER_HEADER]: retryAfter });
  const data = text === null ? '' : { status: { error: text } };
  return Object.assign(new Error('Reason Phrase'), { status, statusText: 'Reason Phrase', headers, data });
}

const broken = (code: string): Error => new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code }) });

describe('toVectorStoreError', () => {
  it.each([
    [400, 'Bad request: Empty update request', 'rejected'],
    [400, 'Wrong input: Vector dimension error: expected dim: 4, got 2', 'dimension-mismatch'],
    [400, 'Wrong input: Not existing vector name error: nope', 'dimension-mismatch'],
    [401, null, 'rejected'],
    [403, null, 'rejected'],
    [404, null, 'rejected'],
    [404, "Not found: Collection `absent` doesn't exist!", 'collection-missing'],
    [404, 'Not found: No point with id 1 found', 'point-missing'],
    [409, 'Wrong input: Collection `a` already exists!', 'rejected'],
    [422, 'Validation error in JSON body', 'rejected'],
    [408, 'Timeout', 'unavailable'],
    [429, 'Rate limiting exceeded', 'throttled'],
    [500, 'Service internal error', 'unavailable'],
    [502, null, 'unavailable'],
    [503, 'Shard unavailable', 'unavailable'],
    [504, null, 'unavailable'],
    [507, 'Quota exceeded', 'throttled'],
    [500, 'Service internal error: No space left on device (os error 28)', 'throttled'],
    [500, 'Service internal error: WAL buffer size exceeds available disk space', 'throttled'],
  ] as const)('reads %i %j as %s', (status, text, kind) => {
    const error = toVectorStoreError(reply(status, text), 'write points');
    expect(error).toMatchObject({ kind, message: `Qdrant answered ${status} to write points: ${text ?? 'Reason Phrase'}` });
  });

  it('says of 507 and of a full disk, and of nothing else, that there is no room for points', () => {
    const isFull = (status: number, text = 'no') => toVectorStoreError(reply(status, text), 'write').options.isStorageFull;
    expect([507, 429, 503, 500].map((status) => isFull(status))).toEqual([true, false, false, false]);
    expect(isFull(500, 'Service internal error: No space left on device (os error 28)')).toBe(true);
  });

  it('reads 503 with Retry-After as throttled, for the whole time', () => {
    expect(toVectorStoreError(reply(503, 'Draining', '30'), 'search')).toMatchObject({
      kind: 'throttled',
      options: { retryAfterMs: 30_000 },
    });
  });

  it.each(['ECONNREFUSED', 'ENOTFOUND', 'UND_ERR_SOCKET', 'ECONNRESET'])('reads %s as unavailable', (code) => {
    expect(toVectorStoreError(broken(code), 'search')).toMatchObject({ kind: 'unavailable', message: expect.stringContaining(code) });
  });

  it('reads a reply that the library did not expect as unavailable, first line only', () => {
    const error = toVectorStoreError(new Error('Unexpected Response: 202\nRaw response content:\n{}'), 'take a snapshot');
    expect(error).toMatchObject({
      kind: 'unavailable',
      message: 'Qdrant gave no usable answer to take a snapshot: Unexpected Response: 202',
    });
  });

  it('passes its own kind through', () => {
    const error = new VectorStoreError('throttled', 'x');
    expect(toVectorStoreError(error, 'search')).toBe(error);
  });
});

describe('isSocketError', () => {
  it.each(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])('knows %s', (code) => expect(isSocketError(broken(code))).toBe(true));
  it.each(['ECONNREFUSED', 'ENOTFOUND'])('leaves out %s: nobody was there', (code) => expect(isSocketError(broken(code))).toBe(false));
  it('leaves out replies', () => expect(isSocketError(reply(500, 'x'))).toBe(false));
});

describe('parseRetryAfter', () => {
  const now = Date.parse('2026-11-21T10:00:00Z');
  it.each([
    [null, undefined],
    ['30', 30_000],
    [' 7 ', 7_000],
    ['0', 0],
    ['Sat, 21 Nov 2026 10:00:05 GMT', 5_000],
    ['Sat, 21 Nov 2026 09:00:00 GMT', 0],
    ['soon', undefined],
  ])('reads %j as %s ms', (header, ms) => expect(parseRetryAfter(header, now)).toBe(ms));
});
