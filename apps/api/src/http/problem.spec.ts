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
