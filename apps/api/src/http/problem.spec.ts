import { DomainError, ERROR_CODES, type ErrorCode } from '#kernel';
import { BadRequestException, HttpException, NotFoundException } from '@nestjs/common';
import { domainErrorOf } from './domain-error-of.js';
import { problemHeadersOf, problemOf } from './problem.js';
import { problemSchema } from './problem.schema.js';
import { STATUS_OF_KIND } from './status-of-kind.js';

const REQUEST_ID = '6f1c7a54-8a57-4c3e-9d0a-2f6f0f9b1c55';

describe('problemOf', () => {
  it.each(Object.keys(ERROR_CODES) as ErrorCode[])('describes %s', (code) => {
    const problem = problemOf(new DomainError(code), REQUEST_ID);
    expect(problemSchema.safeParse(problem).error).toBeUndefined();
    expect(problem).toMatchObject({
      type: `urn:kindred:error:${code}`,
      title: ERROR_CODES[code].title,
      status: STATUS_OF_KIND[ERROR_CODES[code].kind],
      retryable: ERROR_CODES[code].retryable,
    });
  });

  it('carries nothing of the cause', () => {
    const problem = problemOf(new DomainError('internal.error', { cause: new Error('password=hunter2') }), REQUEST_ID);
    expect(JSON.stringify(problem)).not.toContain('hunter2');
  });

  it('says when to come back, exactly when that can help', () => {
    expect(problemHeadersOf(new DomainError('search.not-ready'))).toMatchObject({ 'retry-after': '1' });
    expect(problemHeadersOf(new DomainError('search.not-ready', { headers: { 'Retry-After': '9' } }))).toMatchObject({
      'retry-after': '9',
    });
    expect(problemHeadersOf(new DomainError('request.invalid'))).not.toHaveProperty('retry-after');
  });
});

describe('domainErrorOf', () => {
  const fastify = (statusCode: number) =>
    Object.assign(new Error('made by the client: <script>'), { statusCode, code: 'FST_ERR_SOMETHING' });
  it.each([
    [new DomainError('projects.not-found'), 'projects.not-found'],
    [new NotFoundException(), 'request.not-found'],
    [new BadRequestException('x'), 'request.invalid'],
    [new HttpException('x', 418), 'request.invalid'],
    [new HttpException('x', 502), 'internal.error'],
    [fastify(413), 'request.body-too-large'],
    [fastify(415), 'request.unsupported-media-type'],
    [fastify(400), 'request.invalid'],
    [fastify(500), 'internal.error'],
    [Object.assign(new Error('reply of another service'), { statusCode: 404, code: 'ERR_BAD_REQUEST' }), 'internal.error'],
    [Object.assign(new Error('aborted'), { statusCode: 400, code: 'ECONNRESET' }), 'request.invalid'],
    [Object.assign(new Error('aborted'), { code: 'ECONNRESET' }), 'internal.error'],
    [new TypeError('defect'), 'internal.error'],
    ['a string', 'internal.error'],
    [undefined, 'internal.error'],
  ])('%p is %s', (thrown, code) => {
    const error = domainErrorOf(thrown);
    expect(error.code).toBe(code);
    expect(error.detail).not.toContain('<script>');
  });
});

describe('problems of what goes wrong inside', () => {
  const SECRETS = [
    'SELECT secret FROM vault WHERE id = $1',
    'at Pool.query (/srv/kindred/node_modules/pg/lib/client.js:1:2)',
    'connect ECONNREFUSED db.internal:5432',
    'postgres://kindred:hunter2@db.internal/kindred',
    '/var/lib/kindred/data/api-key-pepper',
    'duplicate key value violates unique constraint "projects_external_id_key"',
    'kdr_0123456789ab_' + 'a'.repeat(64),
    '<script>alert(1)</script>',
    'Error: \u001b[31mred\r\nSet-Cookie: a=b',
    '10.1.2.3:6333',
  ];
  const statuses = [200, 302, 399, 400, 401, 403, 404, 409, 413, 415, 418, 422, 429, 431, 499, 500, 502, 503, 504, 999];
  /** Whatever a library, a driver or a defect may throw; the secret is in every place that an error has. */
  const thrown = (secret: string): unknown[] => [
    secret,
    { message: secret, stack: secret },
    new Error(secret),
    new TypeError(secret),
    new AggregateError([new Error(secret)], secret),
    new Error('outer', { cause: new Error(secret) }),
    Object.assign(new Error(secret), { code: '23505', detail: secret, query: secret, parameters: [secret], table: secret }),
    Object.assign(new Error(secret), { code: 'ECONNRESET', address: secret, port: 5432 }),
    new DomainError('internal.error', { cause: new Error(secret) }),
    new DomainError('database.unavailable', { cause: new Error(secret) }),
    ...statuses.flatMap((status) => [
      new HttpException(secret, status),
      new HttpException({ message: secret, error: secret, stack: secret }, status, { cause: new Error(secret) }),
      Object.assign(new Error(secret), { statusCode: status, code: 'FST_ERR_SOMETHING', validation: [{ message: secret }] }),
      Object.assign(new Error(secret), { statusCode: status, code: 'ERR_BAD_REQUEST', body: secret }),
      Object.assign(new Error(secret), { status, response: { data: secret, config: { headers: { authorization: secret } } } }),
    ]),
  ];

  it('carry nothing of it: more than 1,000 faults', () => {
    let faults = 0;
    for (const secret of SECRETS) {
      for (const what of thrown(secret)) {
        const error = domainErrorOf(what);
        const problem = problemOf(error, REQUEST_ID);
        const reply = JSON.stringify([problem, problemHeadersOf(error)]);
        expect(problemSchema.safeParse(problem).error).toBeUndefined();
        expect([secret, reply.includes(JSON.stringify(secret).slice(1, -1))]).toEqual([secret, false]);
        expect(reply).not.toMatch(/SELECT|node_modules|\bat \w+\.|:\/\/|\/srv\/|\/var\/|ECONN|internal:|hunter2|stack/);
        faults++;
      }
    }
    expect(faults).toBeGreaterThan(1_000);
  });
});
