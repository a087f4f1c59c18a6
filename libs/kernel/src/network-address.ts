import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

const BITS: Readonly<Record<number, number>> = { 4: 32, 6: 128 };

/** Whether the text is an address, or a range in CIDR notation, of IPv4 or IPv6. */
export function isAddressRange(text: string): boolean {
  return parseRange(text) !== null;
}

/** A set of addresses, given as addresses and ranges in CIDR notation. */
export class AddressRanges {
  private readonly list = new BlockList();

  /** @param ranges each one that {@link isAddressRange} accepts */
  constructor(ranges: readonly string[]) {
    for (const text of ranges) {
      const range = parseRange(text);
      if (range === null) throw new Error(`${text} is no range of addresses`);
      this.list.addSubnet(range.address, range.prefix, isIPv4(range.address) ? 'ipv4' : 'ipv6');
    }
  }

  /** Whether the address lies in one of the ranges; IPv4 in IPv6 notation counts as IPv4. */
  has(address: string): boolean {
    const plain = plainAddressOf(address);
    if (isIPv4(plain)) return this.list.check(plain, 'ipv4');
    return isIPv6(plain) && this.list.check(plain, 'ipv6');
  }
}

const LOOPBACK = new AddressRanges(['127.0.0.0/8', '::1']);

/** Whether the address is one of this machine's loopback interface, IPv4 in IPv6 notation included. */
export function isLoopbackAddress(address: string): boolean {
  return LOOPBACK.has(address);
}

/** Whether a `Host` header, with or without a port, names this machine: localhost, 127.0.0.0/8 or [::1]. */
export function isLoopbackHost(host: string): boolean {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d{1,5})?$/i.exec(host);
  if (match === null) return false;
  const [, bracketed, name] = match;
  if (bracketed !== undefined) return isLoopbackAddress(bracketed);
  return name!.toLowerCase() === 'localhost' || (isIPv4(name!) && isLoopbackAddress(name!));
}

/** The address as people write it: `::ffff:10.0.0.1` is what a socket for both families calls 10.0.0.1. */
export function plainAddressOf(address: string): string {
  return address.toLowerCase().startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address;
}

/**
 * What counts as one client: the address itself, or the first 64 bits of an IPv6 address, because whoever has one has all that begin with these.
 *
 * A zone (`%eth0`) counts for nothing. What is no address is given back as it is.
 */
export function clientNetworkOf(address: string): string {
  const plain = plainAddressOf(address).split('%', 1)[0]!;
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const groupsOf = (text: string) => (text === '' ? [] : text.split(':'));
  const before = groupsOf(head);
  const behind = tail === undefined ? [] : groupsOf(tail);
  // An IPv4 address at the end stands for two groups.
  const known = before.length + behind.length + (plain.includes('.') ? 1 : 0);
  const groups = [...before, ...Array<string>(Math.max(0, 8 - known)).fill('0'), ...behind];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

function parseRange(text: string): { readonly address: string; readonly prefix: number } | null {
  const [address = '', prefixText, ...rest] = text.split('/');
  const bits = BITS[isIP(address)];
  if (bits === undefined || rest.length > 0) return null;
  if (prefixText === undefined) return { address, prefix: bits };
  if (!/^\d{1,3}$/.test(prefixText) || Number(prefixText) > bits) return null;
  return { address, prefix: Number(prefixText) };
}
