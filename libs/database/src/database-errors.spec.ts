import { DomainError } from '#kernel';
import { classifyDatabaseError, toDomainError } from './database-errors.js';

const withCode = (code: string): Error => Object.assign(new Error('from the server'), { code });

describe('classifyDatabaseError', () => {
  it.each(['53100', '57P01', '57P02', '57P03', '08000', '08006', '08P01', 'ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT'])(
    '%s: unavailable',
    (code) => {
      expect(classifyDatabaseError(withCode(code))).toBe('database.unavailable');
    },
  );

  it.each(['53300', '40001', '40P01', '55P03', '57014'])('%s: busy', (code) => {
    expect(classifyDatabaseError(withCode(code))).toBe('database.busy');
  });

  it.each([
    ['Connection terminated unexpectedly', 'database.unavailable'],
    ['Connection terminated due to connection timeout', 'database.unavailable'],
    ['terminating connection due to administrator command', 'database.unavailable'],
    ['Client has encountered a connection error and is not queryable', 'database.unavailable'],
    ['Query read timeout', 'database.unavailable'],
    ['Cannot use a pool after calling end on the pool', 'database.unavailable'],
    ['timeout exceeded when trying to connect', 'database.busy'],
  ])('%s: %s', (message, expected) => {
    expect(classifyDatabaseError(new Error(message))).toBe(expected);
  });

  it.each([
    withCode('23505'),
    withCode('22P02'),
    withCode('42P01'),
    new Error('any other'),
    new TypeError('x is not a function'),
    null,
    undefined,
    'text',
    5,
  ])('%s: not about the connection', (error) => {
    expect(classifyDatabaseError(error)).toBeNull();
  });

  it('looks into what TypeORM and name resolution wrap', () => {
    expect(classifyDatabaseError(Object.assign(new Error('query failed'), { driverError: withCode('57P01') }))).toBe(
      'database.unavailable',
    );
    expect(classifyDatabaseError(new AggregateError([withCode('ECONNREFUSED'), withCode('ECONNREFUSED')]))).toBe('database.unavailable');
  });
});

describe('toDomainError', () => {
  it('keeps the cause', () => {
    const cause = withCode('57P01');
    expect(toDomainError(cause)).toMatchObject({ code: 'database.unavailable', cause });
  });

  it('gives every other error back as it is', () => {
    const domainError = new DomainError('projects.not-found');
    const other = withCode('23505');
    expect(toDomainError(domainError)).toBe(domainError);
    expect(toDomainError(other)).toBe(other);
  });
});
