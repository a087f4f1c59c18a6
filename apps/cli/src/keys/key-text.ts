import { renderTable } from '#kernel';
import { timeText } from '../output/words.js';

/** A key as the admin API shows it. */
export interface KeyReply {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly collections: readonly string[] | null;
  readonly allowed_cidrs: readonly string[] | null;
  readonly rate_limit_per_minute: number | null;
  readonly replaces: string | null;
  readonly state: string;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
}

export interface NewKeyReply extends KeyReply {
  /** The key itself, this once. */
  readonly key: string;
}

export function keyTable(keys: readonly KeyReply[]): string {
  if (keys.length === 0) return 'There are no keys. kindred keys create makes one.';
  return renderTable(
    ['id', 'name', 'scopes', 'state', 'expires', 'last used', 'from', 'per minute', 'collections'],
    keys.map((key) => [
      key.id,
      key.name,
      key.scopes.join(' '),
      key.state,
      timeText(key.expires_at),
      timeText(key.last_used_at),
      key.allowed_cidrs?.join(' ') ?? 'anywhere',
      key.rate_limit_per_minute ?? '-',
      key.collections?.length ?? 'all',
    ]),
  );
}

/** The key alone on standard output, so that it can be piped into where it is kept; all else goes beside it. */
export function newKeyNote({ id, name, scopes, expires_at }: KeyReply): string {
  const expiry = expires_at === null ? 'does not expire' : `expires ${timeText(expires_at)}`;
  return `Key ${id} (${name}): ${scopes.join(', ')}; ${expiry}. It is shown this once and cannot be had again:`;
}
