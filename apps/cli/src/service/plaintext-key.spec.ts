import { assertKeyIsSafe } from './plaintext-key.js';
import { UsageError } from './usage-error.js';

const OWN = ['127.0.0.1', '10.0.0.7', 'fd00::7'];

describe('assertKeyIsSafe', () => {
  it.each([
    'https://kindred.example',
    'https://10.0.0.8',
    'http://localhost:3000',
    'http://LOCALHOST',
    'http://127.0.0.1:3000/below',
    'http://127.9.9.9',
    'http://[::1]:3000',
    'http://[::ffff:127.0.0.1]',
    // Its own address, by which a service is found that listens there.
    'http://10.0.0.7:3000',
    'http://[fd00::7]:3000',
  ])('lets a key go to %s', (url) => {
    expect(() => assertKeyIsSafe(url, OWN)).not.toThrow();
  });

  it.each([
    'http://kindred.example',
    'http://10.0.0.8:3000',
    'http://10.0.0.70',
    'http://[fd00::8]',
    'http://localhost.example',
    'http://127.0.0.1.example',
    'http://127.0.0.1@kindred.example',
  ])('keeps a key from %s', (url) => {
    expect(() => assertKeyIsSafe(url, OWN)).toThrow(UsageError);
    expect(() => assertKeyIsSafe(url, OWN)).toThrow('--insecure');
  });

  it('lets it go anywhere when the environment says so', () => {
    process.env['KINDRED_ALLOW_PLAINTEXT'] = 'true';
    try {
      expect(() => assertKeyIsSafe('http://kindred.example', OWN)).not.toThrow();
    } finally {
      delete process.env['KINDRED_ALLOW_PLAINTEXT'];
    }
  });
});
