import { refusalOf } from './loopback.js';

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
