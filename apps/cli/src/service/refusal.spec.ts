import { refusalOf, type RefusedCall } from './refusal.js';

const refused = (status: number, more: Partial<RefusedCall> = {}) =>
  refusalOf({
    call: 'GET /x',
    status,
    body: JSON.stringify({ code: 'some.code', title: 'No', retryable: false }),
    retryAfter: null,
    hasKey: true,
    ...more,
  });

describe('refusalOf', () => {
  it.each([
    [401, { hasKey: false }, 4, 'KINDRED_API_KEY'],
    [401, { hasKey: true }, 4, 'revoked'],
    [403, { hasKey: false }, 4, '--key'],
    [403, { hasKey: true }, 4, 'kindred keys list'],
    [429, { retryAfter: '7' }, 3, 'in 7 s'],
    [429, { retryAfter: 'Thu, 26 Nov 2026 05:28:08 GMT' }, 3, 'in a moment'],
    [503, { body: JSON.stringify({ code: 'load.shed', title: 'Busy', retryable: true }), retryAfter: '2' }, 3, 'kindred doctor'],
    [503, { body: '<html>' }, 3, 'in a moment'],
  ] as const)('%i with %j ends with %i and tells what to do', (status, more, exitCode, advice) => {
    expect(refused(status, more)).toMatchObject({ status, exitCode, advice: expect.stringContaining(advice) });
  });

  it.each([400, 404, 409, 422, 500])('%i is a refusal', (status) => {
    expect(refused(status)).toMatchObject({ exitCode: 1, advice: null, message: 'No (some.code)' });
  });
});
