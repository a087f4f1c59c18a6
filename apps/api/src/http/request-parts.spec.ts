import { acceptsJson } from './accepts-json.js';
import { isMalformedQuery, parseQueryString } from './query-string.js';
import { RouteTable } from './route-table.js';

describe('parseQueryString', () => {
  it.each([
    ['', {}],
    ['a=1&b=2', { a: '1', b: '2' }],
    ['a=1&a=2&a=3', { a: ['1', '2', '3'] }],
    ['a=&b&=c&&', { a: '', b: '', '': 'c' }],
    ['a=b=c', { a: 'b=c' }],
    ['a%20b=c+d%2B', { 'a b': 'c d+' }],
    ['toString=1', { toString: '1' }],
  ])('%s', (text, expected) => {
    expect({ ...parseQueryString(text) }).toEqual(expected);
    expect(isMalformedQuery(parseQueryString(text))).toBe(false);
  });

  it('treats __proto__ as a name like any other', () => {
    const query = parseQueryString('__proto__=1&__proto__=2');
    expect(Object.getPrototypeOf(query)).toBeNull();
    expect(Object.keys(query)).toEqual(['__proto__']);
  });

  it.each(['%', 'a=%', '%E0%A4%A', 'a=%ed%a0%80', 'ok=1&a=%zz'])('marks %s', (text) =>
    expect(isMalformedQuery(parseQueryString(text))).toBe(true),
  );
});

describe('acceptsJson', () => {
  it.each([
    [undefined, true],
    ['', true],
    ['*/*', true],
    ['application/json', true],
    ['Application/JSON; charset=utf-8', true],
    ['text/html, application/xhtml+xml, */*;q=0.8', true],
    ['application/*;q=0, application/json', true],
    ['application/problem+json', true],
    ['application/json;q=0, application/problem+json', true],
    ['application/json;q=0', false],
    ['*/*, application/json;q=0', false],
    ['application/json;q=0, */*', false],
    ['*/*;q=0', false],
    ['text/html', false],
    ['application/jsonx', false],
    [',', false],
  ])('%s: %s', (header, expected) => expect(acceptsJson(header)).toBe(expected));
});

describe('RouteTable', () => {
  const table = new RouteTable();
  table.add(['GET', 'HEAD'], '/a/:id');
  table.add('POST', '/a/:id/');
  table.add('GET', '/files/*');
  table.add('GET', '/a.b');
  table.add('get', '/');

  it.each([
    ['/a/1', ['GET', 'HEAD', 'OPTIONS', 'POST']],
    ['/a/1/', ['GET', 'HEAD', 'OPTIONS', 'POST']],
    ['/a/%2F', ['GET', 'HEAD', 'OPTIONS', 'POST']],
    ['/%61/1', ['GET', 'HEAD', 'OPTIONS', 'POST']],
    ['/files/x/y', ['GET', 'OPTIONS']],
    ['/', ['GET', 'OPTIONS']],
    ['/a/', []],
    ['/a//', []],
    ['/a/1/2', []],
    ['/aXb', []],
    ['/%', []],
  ])('%s answers %j', (path, methods) => expect(table.allowedMethods(path)).toEqual(methods));

  it('knows routes that are added later', () => {
    table.add('PUT', '/files/*');
    expect(table.allowedMethods('/files/x')).toEqual(['GET', 'OPTIONS', 'PUT']);
  });
});
