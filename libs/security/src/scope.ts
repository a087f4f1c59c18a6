/** What a key may do. */
export const SCOPES = ['read', 'write', 'admin:read', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** What comes along with a scope: whoever may change something may see it. */
const INCLUDED: Readonly<Record<Scope, readonly Scope[]>> = {
  read: ['read'],
  write: ['write', 'read'],
  'admin:read': ['admin:read'],
  admin: ['admin', 'admin:read'],
};

/** The scopes with all that they include. */
export function grantedBy(scopes: readonly Scope[]): ReadonlySet<Scope> {
  return new Set(scopes.flatMap((scope) => INCLUDED[scope]));
}
