import { loadConfig } from '#config';
import type { FastifyRequest } from 'fastify';
import type { AccessControl } from '../access-control.js';
import type { Caller } from '../caller.js';
import { AccessHook, clientAddressOf } from './access.hook.js';

const requestOf = (fields: object) =>
  ({
    headers: {},
    ip: '127.0.0.1',
    raw: { socket: {} },
    routeOptions: { url: '/livez', config: { access: { scope: 'public' } } },
    ...fields,
  }) as unknown as FastifyRequest;

describe('AccessHook', () => {
  it('does not hold a probe up that carries a key, however long it takes to find out whose it is', async () => {
    const never: AccessControl = { identify: () => new Promise<Caller>(() => undefined) } as unknown as AccessControl;
    const request = requestOf({ headers: { 'x-api-key': 'key' } });
    await new AccessHook(never, loadConfig({ AUTH: 'required' }).security).check(request);
    expect(request.caller).toBeUndefined();
  });
});

describe('clientAddressOf', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['203.0.113.9:51234', '203.0.113.9'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['unknown', ''],
    ['_hidden', ''],
    ['10.0.0.1.example', ''],
    ['', ''],
  ])('sees %s as %j', (ip, address) => {
    expect(clientAddressOf(requestOf({ ip }))).toBe(address);
  });
});
