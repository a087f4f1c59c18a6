import { grantedBy, SCOPES, type Scope } from './scope.js';

/** Who sent a request, as far as the house knows. */
export interface Caller {
  /** `null` = no key was asked for, and none was sent. */
  readonly keyId: string | null;
  readonly keyName: string | null;
  /** With all that they include. */
  readonly scopes: ReadonlySet<Scope>;
  /** Ids of the document collections it may see; `null` = everything, projects included. */
  readonly collections: ReadonlySet<string> | null;
  /** Requests a minute; 0 = no limit. */
  readonly rateLimitPerMinute: number;
}

/** Whoever calls while no key is asked for. */
export const ANONYMOUS: Caller = Object.freeze({
  keyId: null,
  keyName: null,
  scopes: grantedBy(SCOPES),
  collections: null,
  rateLimitPerMinute: 0,
});
