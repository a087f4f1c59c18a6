import { isLoopbackAddress, isLoopbackHost, refusalOf } from './loopback.js';

describe('isLoopbackAddress', () => {
  it.each(['127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', '::FFFF:127.1.2.3', '0:0:0:0:0:0:0:1'])('%s is', (address) => {
    expect(isLoopbackAddress(address)).toBe(true);
  });

  it.each([
    '10.0.0.1',
    '192.168.1.5',
    '0.0.0.0',
    '::',
    '::2',
    '::ffff:10.0.0.1',
    'fe80::1',
    '127.0.0.1.example',
    'localhost',
    '',
    '2130706433',
    '::ffff:',
  ])('%s is not', (address) => {
    expect(isLoopbackAddress(address)).toBe(false);
  });
});

describe('isLoopbackHost', () => {
  it.each(['localhost', 'LocalHost:3000', '127.0.0.1', '127.0.0.1:80', '127.9.9.9:1', '[::1]', '[::1]:3000'])('%s is', (host) => {
    expect(isLoopbackHost(host)).toBe(true);
  });

  it.each([
    'example.com',
    'localhost.example.com',
    'localhost:3000@example.com',
    '127.0.0.1.nip.io',
    'kindred:3000',
    '0.0.0.0:3000',
    '[::]',
    '::1',
    '[::1',
    '10.0.0.1',
    'localhost:',
    'localhost:999999',
    ' localhost',
    '',
    '0x7f.1',
    '2130706433',
  ])('%p is not', (host) => {
    expect(isLoopbackHost(host)).toBe(false);
  });
});

describe('refusalOf', () => {
  const local = (headers: Record<string, string | string[]> = {}, remoteAddress: string | undefined = '127.0.0.1') =>
    refusalOf({ remoteAddress, headers: { host: 'localhost:3000', ...headers } });

  it('lets a request from this machine pass', () => {
    expect(local()).toBeNull();
    expect(local({}, '::1')).toBeNull();
    expect(local({ host: '[::1]:3000', 'user-agent': 'curl', 'x-request-id': 'a' })).toBeNull();
  });

  it.each(['10.1.2.3', '::ffff:172.17.0.1', 'fe80::1%eth0'])('refuses the peer %s, whatever its headers say', (address) => {
    expect(local({}, address)).toContain('another machine');
    expect(local({ 'x-forwarded-for': '127.0.0.1' }, address)).toContain('another machine');
  });

  it('refuses a peer without an address', () => {
    expect(refusalOf({ remoteAddress: undefined, headers: { host: 'localhost' } })).toContain('another machine');
  });

  it.each([
    'forwarded',
    'via',
    'x-real-ip',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-forwarded-anything',
    'cf-connecting-ip',
  ])('refuses what carries %s, also when it is empty or says 127.0.0.1', (name) => {
    expect(local({ [name]: '127.0.0.1' })).toContain(name);
    expect(local({ [name]: '' })).toContain(name);
  });

  it('refuses another host, and none', () => {
    expect(local({ host: 'evil.example' })).toContain('Host');
    expect(refusalOf({ remoteAddress: '127.0.0.1', headers: {} })).toContain('Host');
  });

  it.each(['cross-site', 'same-site', 'none', '', 'SAME-ORIGIN'])('refuses a browser whose Sec-Fetch-Site is %p', (site) => {
    expect(local({ 'sec-fetch-site': site })).toContain('another origin');
  });

  it.each(['http://evil.example', 'https://localhost:3000', 'http://localhost', 'http://localhost:3001', 'null', ''])(
    'refuses a page of the origin %p',
    (origin) => {
      expect(local({ origin })).toContain('another origin');
      expect(local({ origin, 'sec-fetch-site': 'same-origin' })).toContain('another origin');
    },
  );

  it('refuses headers that come twice', () => {
    expect(local({ origin: ['http://localhost:3000', 'http://evil.example'] })).toContain('another origin');
    expect(local({ 'sec-fetch-site': ['same-origin', 'cross-site'] })).toContain('another origin');
  });

  it('lets the documentation page of this service pass', () => {
    expect(local({ origin: 'http://localhost:3000', 'sec-fetch-site': 'same-origin' })).toBeNull();
    expect(local({ 'sec-fetch-site': 'same-origin' })).toBeNull();
  });
});
