import { isLoopbackAddress, isLoopbackHost } from '#kernel';

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

/** What is let pass besides. */
export interface OriginLeave {
  /** Origins of pages that may. */
  readonly origins?: readonly string[];
  /** A Host without a dot: nobody on the Internet can make such a name lead here. */
  readonly anyShortName?: boolean;
}

const SHORT_NAME = /^[a-z0-9-]+(?::\d{1,5})?$/i;

/**
 * Why the request does not count as one from this machine; `null` = it does.
 *
 * The peer's address alone proves little: a proxy on this machine has a loopback address too, and so has the browser of whoever sits here, steered by
 * any page (or by a name that resolves to 127.0.0.1). So nothing may say that it was forwarded, it must name this machine as its host, and a page of
 * another origin must not be behind it.
 */
export function refusalOf({ remoteAddress, headers }: RequestOrigin, leave: OriginLeave = {}): string | null {
  if (remoteAddress === undefined || !isLoopbackAddress(remoteAddress)) return 'it comes from another machine';
  const forwarded = Object.keys(headers).find((name) => FORWARDING_HEADERS.has(name) || name.startsWith(FORWARDING_PREFIX));
  if (forwarded !== undefined) return `it was forwarded (${forwarded})`;
  const host = textOf(headers['host']);
  if (host === null || !(isLoopbackHost(host) || (leave.anyShortName === true && SHORT_NAME.test(host))))
    return 'its Host is no name of this machine';
  // A browser sends these by itself, and no page can take them away.
  const origin = textOf(headers['origin']);
  if (origin !== null && leave.origins?.includes(origin) === true) return null;
  const site = textOf(headers['sec-fetch-site']);
  if (headers['sec-fetch-site'] !== undefined && site !== 'same-origin') return 'a page of another origin sent it';
  if (headers['origin'] !== undefined && origin !== `http://${host}`) return 'a page of another origin sent it';
  return null;
}

/** One value; `null` for none, or for several of which the last reader may take another one than the first. */
function textOf(value: string | readonly string[] | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
