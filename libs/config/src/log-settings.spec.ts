import { parseLogSettings } from './log-settings.js';

describe('parseLogSettings', () => {
  it.each([
    ['info', { level: 'info', levels: {} }],
    ['silent', { level: 'silent', levels: {} }],
    ['info,sync=debug,vector-store=warn', { level: 'info', levels: { sync: 'debug', 'vector-store': 'warn' } }],
    ['sync=trace', { level: 'info', levels: { sync: 'trace' } }],
    [' warn , http = error ', { level: 'warn', levels: { http: 'error' } }],
  ])('reads %s', (text, settings) => {
    expect(parseLogSettings(text)).toEqual(settings);
  });

  it.each([
    'verbose',
    'info,debug',
    'sync',
    'info,',
    'info,sync=',
    'info,sync=loud',
    'info,kitchen=debug',
    'sync=debug,sync=info',
    'sync=debug=info',
  ])('refuses %s and says what is allowed', (text) => {
    expect(parseLogSettings(text)).toMatch(/^must be a level \(silent, .*components are answers, .*vector-store$/);
  });
});
