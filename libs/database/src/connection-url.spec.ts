import { isTlsOptional, isTlsRefused, withTlsSemantics } from './connection-url.js';

const URL_BASE = 'postgresql://user:p%40ss@db.example:5432/kindred';

describe('withTlsSemantics', () => {
  it('leaves a URL without sslmode alone', () => {
    expect(withTlsSemantics(URL_BASE)).toBe(URL_BASE);
    expect(withTlsSemantics(`${URL_BASE}?sslmode=no-verify`)).toBe(`${URL_BASE}?sslmode=no-verify`);
  });

  it.each(['require', 'verify-ca', 'verify-full', 'disable'])('gives %s the meaning it has everywhere else', (mode) => {
    expect(withTlsSemantics(`${URL_BASE}?sslmode=${mode}`)).toBe(`${URL_BASE}?sslmode=${mode}&uselibpqcompat=true`);
  });

  it('goes on without TLS only where the URL allows it', () => {
    expect(withTlsSemantics(`${URL_BASE}?sslmode=prefer`, true)).toContain('sslmode=disable');
    expect(withTlsSemantics(`${URL_BASE}?sslmode=allow`, true)).toContain('sslmode=disable');
    expect(withTlsSemantics(`${URL_BASE}?sslmode=require`, true)).toContain('sslmode=require');
  });

  it('keeps a password with special characters', () => {
    expect(new URL(withTlsSemantics(`${URL_BASE}?sslmode=require`)).password).toBe('p%40ss');
  });
});

describe('isTlsOptional', () => {
  it('is true for prefer and allow', () => {
    expect(['prefer', 'allow', 'require', 'disable'].map((mode) => isTlsOptional(`${URL_BASE}?sslmode=${mode}`))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(isTlsOptional(URL_BASE)).toBe(false);
  });
});

describe('isTlsRefused', () => {
  it('knows the words of the driver', () => {
    expect(isTlsRefused(new Error('The server does not support SSL connections'))).toBe(true);
    expect(isTlsRefused(new Error('self-signed certificate'))).toBe(false);
  });
});
