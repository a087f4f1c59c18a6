import { AddressRanges, clientNetworkOf, isAddressRange, isLoopbackAddress, isLoopbackHost } from './network-address.js';

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

describe('AddressRanges', () => {
  const ranges = new AddressRanges(['10.0.0.0/8', '192.168.1.7', '2001:db8::/32', '0.0.0.0/31']);

  it.each(['10.255.0.1', '::ffff:10.1.2.3', '192.168.1.7', '2001:db8:1::5', '0.0.0.1'])('holds %s', (address) => {
    expect(ranges.has(address)).toBe(true);
  });

  it.each(['11.0.0.1', '192.168.1.8', '2001:db9::', '0.0.0.2', 'x', ''])('does not hold %s', (address) => {
    expect(ranges.has(address)).toBe(false);
  });

  it.each(['10.0.0.0/33', '10.0.0/8', 'localhost', '::/129', '10.0.0.0/8/8', '10.0.0.0/', '', '1.2.3.4/-1'])('%s is no range', (text) => {
    expect(isAddressRange(text)).toBe(false);
    expect(() => new AddressRanges([text])).toThrow(/no range/);
  });
});

describe('clientNetworkOf', () => {
  it.each([
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::10.0.0.1', '64:ff9b:0:0::/64'],
    ['x', 'x'],
  ])('%s is of %s', (address, network) => {
    expect(clientNetworkOf(address)).toBe(network);
  });
});
