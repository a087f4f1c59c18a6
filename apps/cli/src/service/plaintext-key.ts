import { loadClientConfig } from '#config';
import { isLoopbackHost } from '#kernel';
import { networkInterfaces } from 'node:os';
import { UsageError } from './usage-error.js';

/**
 * Refuses to send a key over plain http to another machine, unless KINDRED_ALLOW_PLAINTEXT says that it may go there.
 *
 * @param ownAddresses what goes to one of these never leaves this machine
 * @throws UsageError
 */
export function assertKeyIsSafe(url: string, ownAddresses: readonly string[] = addressesOfThisMachine()): void {
  const { protocol, hostname, origin } = new URL(url);
  if (protocol === 'https:' || isLoopbackHost(hostname) || ownAddresses.includes(hostname.replace(/^\[|\]$/g, ''))) return;
  if (loadClientConfig().allowsPlaintext) return;
  throw new UsageError(
    `The key would go to ${origin} unencrypted, for everybody on the way to read: nothing was sent. Give an https: address, or --insecure if that way is safe.`,
  );
}

function addressesOfThisMachine(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
}
