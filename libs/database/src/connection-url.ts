/** `sslmode` values with which a connection without encryption will do. */
const OPTIONAL_TLS: ReadonlySet<string> = new Set(['prefer', 'allow']);

/**
 * Gives `sslmode` the meaning that it has for psql and every other client, which is not what the driver reads into it: there, `require` also verifies the certificate.
 *
 * @param isPlain after the server said that it has no TLS: `prefer` and `allow` then go on without
 */
export function withTlsSemantics(url: string, isPlain = false): string {
  const parsed = new URL(url);
  const mode = parsed.searchParams.get('sslmode');
  if (mode === null || mode === 'no-verify') return url;
  if (OPTIONAL_TLS.has(mode)) parsed.searchParams.set('sslmode', isPlain ? 'disable' : 'prefer');
  if (!parsed.searchParams.has('uselibpqcompat')) parsed.searchParams.set('uselibpqcompat', 'true');
  return parsed.toString();
}

/** Whether the URL leaves encryption to the server. */
export function isTlsOptional(url: string): boolean {
  return OPTIONAL_TLS.has(new URL(url).searchParams.get('sslmode') ?? '');
}

/** The driver's words for a server that answered the TLS request with "no". */
export function isTlsRefused(error: unknown): boolean {
  return error instanceof Error && error.message.includes('does not support SSL connections');
}
