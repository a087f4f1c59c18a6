import { BlockList, isIPv4, isIPv6 } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Headers that only something between the client and this process writes. `x-forwarded-*` is matched by its beginning. */
const FORWARDING_HEADERS: ReadonlySet<string> = new Set([
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-original-forwarded-for',
  'x-envoy-external-address',
  'true-client-ip',
  'cf-connecting-ip',
]);
const FORWARDING_PREFIX = 'x-forwarded-';

/** What of a request tells where it comes from. Header names in lower case. */
export interface RequestOrigin {
  /** Address of the peer of the socket itself, whatever any header says. */
  readonly remoteAddress: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/**
 * Why the request does not count as one from this machine; `null` = it does.
 *
 * The peer's address alone proves little: a proxy on this machine has a loopback address too, and so has the browser of whoever sits here, steered by
 * any page (or by a name that resolves to 127.0.0.1). So nothing may say that it was forwarded, it must name this machine as its host, and a page of
 * another origin must not be behind it.
 */
export function refusalOf({ remoteAddress, headers }: RequestOrigin): string | null {
  if (remoteAddress === undefined || !isLoopbackAddress(remoteAddress)) return 'it comes from another machine';
  const forwarded = Object.keys(headers).find((name) => FORWARDING_HEADERS.has(name) || name.startsWith(FORWARDING_PREFIX));
  if (forwarded !== undefined) return `it was forwarded (${forwarded})`;
  const host = textOf(headers['host']);
  if (host === null || !isLoopbackHost(host)) return 'its Host is no name of this machine';
  // A browser sends these by itself, and no page can take them away.
  const site = textOf(headers['sec-fetch-site']);
  if (headers['sec-fetch-site'] !== undefined && site !== 'same-origin') return 'a page of another origin sent it';
  if (headers['origin'] !== undefined && textOf(headers['origin']) !== `http://${host}`) return 'a page of another origin sent it';
  return null;
}

/** Whether the address is one of this machine's loopback interface, IPv4 in IPv6 notation included. */
export function isLoopbackAddress(address: string): boolean {
  const plain = address.toLowerCase().startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address;
  if (isIPv4(plain)) return LOOPBACK.check(plain, 'ipv4');
  return isIPv6(plain) && LOOPBACK.check(plain, 'ipv6');
}

/** Whether a `Host` header, with or without a port, names this machine: localhost, 127.0.0.0/8 or [::1]. */
export function isLoopbackHost(host: string): boolean {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d{1,5})?$/i.exec(host);
  if (match === null) return false;
  const [, bracketed, name] = match;
  if (bracketed !== undefined) return isLoopbackAddress(bracketed);
  return name!.toLowerCase() === 'localhost' || (isIPv4(name!) && isLoopbackAddress(name!));
}

/** One value; `null` for none, or for several of which the last reader may take another one than the first. */
function textOf(value: string | readonly string[] | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
